import type { JsonObject } from '../../../../../packages/holdfast/src/lib/json/json-value.ts';
import type { Message } from '../../../../../packages/holdfast/src/lib/model/message.ts';
import type { TurnEvent } from '../../../../../packages/holdfast/src/lib/model/turn-event.ts';
import type { StoredSession } from '../../../../../packages/holdfast/src/lib/store/session-store.ts';
import type { TurnMade } from '../caller.ts';
import type { Facts } from '../facts.ts';

/** A session as it is when all is over. */
export interface Found extends StoredSession<JsonObject> {
  readonly messages: readonly Message[];
  readonly events: readonly TurnEvent[];
}

/** All that is known of a round. */
export interface Round extends Facts {
  readonly turns: readonly TurnMade[];
  /** What is there at the end, by id. */
  readonly found: ReadonlyMap<string, Found>;
  /** Whether a connection was cut. */
  readonly hadFaults: boolean;
  readonly idleTimeoutMs: number;
}

/** What a round has against a law: nothing where it keeps it. */
export type Law = (round: Round) => Iterable<string>;

export function saidIn({ found }: Round, id: string): readonly string[] {
  return found.get(id)?.messages.map(({ content }) => String(content)) ?? [];
}
