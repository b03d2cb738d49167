import { endsTurn, type TurnEvent } from '../model/turn-event.ts';
import { closable } from '../store/closable.ts';
import type { Ending } from '../store/ending.ts';
import type { SessionStore } from '../store/session-store.ts';
import { type Lease, turnId } from '../store/turn-store.ts';

/** Where a turn's live output begins; `null` when there is none, as in a repeat. */
export type OutputStart = { readonly lease: Lease; readonly lastEventSeq: number } | null;

/**
 * The live output of one turn, from its beginning however late one starts to read, and as often as
 * one likes. A reader that leaves stops nothing. Throws what kept the turn from beginning, and
 * `SessionGoneError` when the session has ended before the reading began.
 *
 * @param lost ends, with why, when the turn failed and none of its output was written.
 */
export function turnEventsOf(
  store: Pick<SessionStore<object, never>, 'subscribe'>,
  begun: Promise<OutputStart>,
  lost: Ending<unknown>,
): AsyncIterable<TurnEvent> {
  return {
    [Symbol.asyncIterator]: () =>
      closable(
        async function* (closed) {
          const start = await Promise.race([begun, whenEnded(closed)]);
          if (start === null) return;
          const { lease, lastEventSeq: after } = start;
          const { sessionId, incarnation } = lease;
          const events = store.subscribe(sessionId, { after, incarnation });
          closed.onEnd(() => void events.return?.()?.catch(() => {}));
          for await (const event of events) {
            if (event.turnId === turnId(lease)) {
              yield event;
              if (endsTurn(event)) return;
              // With leases turns follow each other: a later one's output says that this one's has
              // ended, even if its last events are no longer kept.
            } else if (lease.ifVersion === null && Number(event.turnId) > lease.fence) return;
          }
          if (lost.ended !== null) throw lost.ended.reason;
        },
        (close) => lost.onEnd(close),
      ),
  };
}

function whenEnded(closed: Ending): Promise<null> {
  return new Promise((resolve) => {
    closed.onEnd(() => resolve(null));
  });
}
