import { endsTurn, type TurnEvent } from '../model/turn-event.ts';
import type { SessionStore } from '../store/session-store.ts';
import { type Lease, turnId } from '../store/turn-store.ts';

/** Where a turn's live output begins; `null` when there is none, as in a repeat. */
export type OutputStart = { readonly lease: Lease; readonly lastEventSeq: number } | null;

/**
 * The live output of one turn, from its beginning however late one starts to read, and as often as
 * one likes. A reader that leaves stops nothing. Throws what kept the turn from beginning.
 */
export function turnEventsOf(
  store: Pick<SessionStore<object, never>, 'subscribe'>,
  begun: Promise<OutputStart>,
): AsyncIterable<TurnEvent> {
  return {
    async *[Symbol.asyncIterator]() {
      const start = await begun;
      if (start === null) return;
      const { lease, lastEventSeq } = start;
      for await (const event of store.subscribe(lease.sessionId, { after: lastEventSeq })) {
        if (event.turnId !== turnId(lease)) continue;
        yield event;
        if (endsTurn(event)) return;
      }
    },
  };
}
