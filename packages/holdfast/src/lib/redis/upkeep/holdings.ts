import { SessionGoneError } from '../../errors/errors.ts';
import type { JsonValue } from '../../json/json-value.ts';
import type { Message } from '../../model/message.ts';
import type { Session } from '../../model/session.ts';
import type { TurnEvent } from '../../model/turn-event.ts';
import { bytes, list, text } from '../connection/reply.ts';
import type { RedisCore } from '../core/redis-core.ts';
import { gone } from '../core/refusals.ts';
import type { StoredSnapshot } from '../known/snapshot.ts';
import { parseHeader } from '../layout/header.ts';
import type { HistoryReader } from '../reads/history.ts';

/** All that is held of one session. */
export interface Holdings<Metadata extends object> {
  readonly session: Session<Metadata>;
  readonly messages: readonly Message[];
  /** Results of turns, by the idempotency keys (or their digests) under which they may be repeated. */
  readonly outcomes: readonly { readonly key: string; readonly outcome: JsonValue }[];
  /** What is kept of the live output of turns. */
  readonly liveOutput: readonly TurnEvent[];
  /** Of its client: when its token was issued, and keyed digests of its network and browser. */
  readonly client: { readonly authenticatedAt: number | null; readonly binding: JsonValue };
}

/** Gathers all that is held of a session, for whoever may ask for it. */
export class HoldingsReader<Metadata extends object> {
  readonly #core: RedisCore<Metadata>;
  readonly #history: HistoryReader<Metadata>;

  constructor(core: RedisCore<Metadata>, history: HistoryReader<Metadata>) {
    this.#core = core;
    this.#history = history;
  }

  /** `null` when there is no such session, or it has ended meanwhile. @throws DecryptionError */
  async of(id: string): Promise<Holdings<Metadata> | null> {
    const stored = await this.#core.stored.read(id);
    if (stored === null) return null;
    try {
      return await this.#holdings(id, stored);
    } catch (error) {
      if (error instanceof SessionGoneError) return null;
      throw error;
    }
  }

  /** @throws SessionGoneError, also when another session has taken the id meanwhile */
  async #holdings(id: string, stored: StoredSnapshot<Metadata>): Promise<Holdings<Metadata>> {
    const { known, link, records } = this.#core;
    const { incarnation } = stored.header;
    const { keys } = known.of(id);
    const [outcomes, output, messages] = await Promise.all([
      link.command(['LRANGE', keys[2], '0', '-1']),
      link.command(['LRANGE', keys[3], '0', '-1']),
      this.#history.page(id, { incarnation }),
    ]);
    // Asked last: what was read before is this session's as long as it is there.
    const line = text(await link.command(['HGET', keys[0], 'h']));
    if (line === '' || parseHeader(line).incarnation !== incarnation) throw gone(id);
    const at = { sessionId: id, incarnation };
    const { authenticatedAt, clientBinding: binding } = stored.snapshot.credentials;
    return {
      session: this.#core.stored.view(id, stored),
      messages,
      outcomes: this.#outcomes(list(outcomes).map(bytes), at),
      liveOutput: list(output).flatMap((piece) => records.readOutput(bytes(piece), at)),
      client: { authenticatedAt, binding },
    };
  }

  /** Pairs of a key and an entry, and a last item that counts their bytes (`outcomes.lua`). */
  #outcomes(items: readonly Buffer[], at: { sessionId: string; incarnation: string }) {
    const outcomes: { key: string; outcome: JsonValue }[] = [];
    for (let from = 0; from + 1 < items.length; from += 2) {
      const key = String(items[from]);
      const entry = items[from + 1] ?? Buffer.alloc(0);
      const end = entry.indexOf(10);
      const isDone = entry.toString('latin1', 0, end).split(' ')[3] === '1';
      if (!isDone) continue;
      const place = { ...at, position: key };
      const outcome = this.#core.records.readOutcome(entry.subarray(end + 1), place);
      outcomes.push({ key, outcome });
    }
    return outcomes;
  }
}
