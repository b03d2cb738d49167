import type { TargetedKeyboardEvent } from 'preact';

/** What a key has that ends a composition in Safari, which takes the composition for over by then. */
const COMPOSING = 229;

/** Sends the form of a text field at Enter. With Shift it is a new line, and while an input method composes it is that one's. */
export function enterSends(event: TargetedKeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key !== 'Enter' || event.shiftKey) return;
  if (event.isComposing || event.keyCode === COMPOSING) return;
  event.preventDefault();
  event.currentTarget.form?.requestSubmit();
}
