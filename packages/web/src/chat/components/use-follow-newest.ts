import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Entry } from '../entries.ts';

/** Whoever has scrolled back further than this reads there, and stays. */
const AT_END_PX = 120;

/** Keeps the newest entry in view, unless the customer reads further up. */
export function useFollowNewest(
  scroller: RefObject<HTMLDivElement>,
  entries: readonly Entry[],
): void {
  const newest = entries.at(-1);
  const lastWritten = entries.findLast(
    (entry) => entry.kind === 'message' && entry.role === 'user',
  );
  const shown = useRef<{ newest: Entry | undefined; lastWritten: string | undefined }>({
    newest: undefined,
    lastWritten: undefined,
  });
  useLayoutEffect(() => {
    const log = scroller.current;
    const before = shown.current;
    shown.current = { newest, lastWritten: lastWritten?.id };
    if (log === null || newest?.id === before.newest?.id) return;
    const wrote = lastWritten?.id !== before.lastWritten;
    // The log is laid out in reverse: its end is at 0, and what is further up is below that.
    if (!wrote && log.scrollTop < -AT_END_PX) return;
    // What was read while it was written stays where it is.
    if (!wrote && before.newest?.kind === 'draft' && before.newest.text !== '') return;
    log.scrollTop = 0;
    // Customers know how their own messages begin, and who is not at the end is not followed to the answer.
    if (newest?.id !== lastWritten?.id) backToBeginning(log);
  });
}

/** Not past the beginning of a last message that is taller than the view. */
function backToBeginning(log: HTMLElement): void {
  const last = log.querySelector('.column > :last-child');
  if (last === null) return;
  const hidden = log.getBoundingClientRect().top + 16 - last.getBoundingClientRect().top;
  if (hidden > 0) log.scrollTop -= hidden;
}
