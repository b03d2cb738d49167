import type { HoldfastError } from './errors.ts';

/** What an error says, without the remedy of its kind: for one sentence among others. */
export function sentenceOf({ message, remedy }: HoldfastError): string {
  return message.replace(` ${remedy}`, '');
}
