import { randomId } from '../../model/ids.ts';
import type { StoreEventName } from '../../store/store-events.ts';
import { allOf, despiteFailures } from '../batches.ts';
import { bytesOrNull, list, type ReplyList, text } from '../connection/reply.ts';
import type { RedisCore } from '../core/redis-core.ts';
import { repeatable } from '../core/refusals.ts';
import { type Header, none, parseHeader } from '../layout/header.ts';
import { scripts } from '../scripts/scripts.ts';
import type { Ended, UserIndex } from './user-index.ts';

const removeKeys = 13;

/** Sessions looked at in one go. */
const batch = 200;

/** How far a cleanup has come in a bucket's expiry index. */
interface Front {
  readonly bucket: number;
  /** Looked at once without going: alive, or none of this bucket. */
  readonly left: Set<string>;
  /**
   * How many stay at the front, whatever is done: what fails, what lives by its own server's clock, though not by the one
   * that was asked, and what somebody else has put there.
   */
  staying: number;
}

interface Due {
  readonly id: string;
  readonly front: Front;
}

/** A state that is missing is one that cannot be read. */
const nothing = Buffer.alloc(0);

/** How sessions end: deleted, evicted, or expired. */
export class Removals<Metadata extends object> {
  readonly #core: RedisCore<Metadata>;
  readonly #users: UserIndex<Metadata>;

  constructor(core: RedisCore<Metadata>, users: UserIndex<Metadata>) {
    this.#core = core;
    this.#users = users;
    users.endSession = async (id, incarnation, event) => {
      await this.delete(id, { event, incarnation });
    };
    core.known.endAgain = (sessionId, incarnation) => {
      const { logger } = core.options;
      logger.warn({ sessionId }, 'A session that had ended was put back, and is ended again');
      this.delete(sessionId, { incarnation }).catch((err: unknown) => {
        logger.warn({ err, sessionId }, 'A session that was put back could not be ended');
      });
    };
  }

  /** Whether there was one, or something else in its place: that is removed, too. */
  async delete(
    id: string,
    { event = 'deleted', incarnation = none }: { event?: Ended; incarnation?: string } = {},
  ): Promise<boolean> {
    const outcome = await this.#remove(id, ['delete', incarnation], event);
    return outcome === 'removed' || outcome === 'cleared';
  }

  /** Removes what has expired in these buckets, in all unless given; how many sessions that were. */
  async removeExpired(
    signal?: AbortSignal,
    buckets: readonly number[] = [...Array(this.#core.keys.buckets).keys()],
  ): Promise<number> {
    return despiteFailures(
      async (failures) => {
        const fronts = buckets.map((bucket): Front => ({ bucket, left: new Set(), staying: 0 }));
        let count = 0;
        let failed: number;
        let due: readonly Due[];
        do {
          failed = 0;
          signal?.throwIfAborted();
          due = await this.#due(fronts);
          for (let from = 0; from < due.length; from += batch) {
            signal?.throwIfAborted();
            const entries = due.slice(from, from + batch);
            // One that fails keeps none of the others.
            const outcomes = await Promise.allSettled(
              entries.map(({ id }) => this.#remove(id, ['expired', none], 'expired')),
            );
            for (const [at, { id, front }] of entries.entries()) {
              const outcome = outcomes[at];
              if (outcome?.status === 'rejected') {
                failures.push(outcome.reason);
                failed += 1;
                front.staying += 1;
              } else if (outcome?.value !== 'alive' && outcome?.value !== 'none') {
                count += 1;
              } else if (front.left.has(id)) {
                front.staying += 1;
              } else {
                front.left.add(id);
              }
            }
          }
          // Where all of them fail it is not theirs: the rest is left to the next time.
        } while (failed < due.length);
        return count;
      },
      { signal },
    );
  }

  /** Of each bucket the first ones that the expiry index has before now, behind those that stay. */
  async #due(fronts: readonly Front[]): Promise<readonly Due[]> {
    const { clock, keys, link } = this.#core;
    const now = await clock.now();
    const replies = await Promise.all(
      fronts.map(({ bucket, staying }) =>
        link.command([
          'ZRANGEBYSCORE',
          keys.expiry(bucket),
          '-inf',
          String(now),
          ...['LIMIT', String(staying), String(batch)],
        ]),
      ),
    );
    return fronts.flatMap((front, at) =>
      list(replies[at] ?? []).map((id) => ({ id: text(id), front })),
    );
  }

  /** Ends every session of the user, one that is being created meanwhile included. How many. */
  async deleteUser(
    userId: string,
    { except, signal }: { except?: string | undefined; signal?: AbortSignal | undefined },
  ): Promise<number> {
    await repeatable(this.#users.end(userId));
    return despiteFailures(
      async (failures) => {
        let count = 0;
        for (let after = 0; ; ) {
          signal?.throwIfAborted();
          const entries = await this.#users.page(userId, after, batch);
          // One that fails keeps none of the others.
          const outcomes = await Promise.allSettled(
            entries.map(async ({ id }) => {
              const incarnation =
                id === except ? null : await this.#users.incarnationOf(userId, id);
              return incarnation !== null && this.delete(id, { incarnation });
            }),
          );
          for (const outcome of outcomes) {
            if (outcome.status === 'rejected') failures.push(outcome.reason);
            else if (outcome.value) count += 1;
          }
          if (entries.length < batch) return count;
          after = entries.at(-1)?.order ?? after;
        }
      },
      { signal },
    );
  }

  /** What follows when a session has gone; `heir` is the user of the one that took its place. */
  async left(
    id: string,
    header: Header,
    state: Buffer,
    event: Exclude<StoreEventName, 'status'>,
    heir: string | null = null,
  ): Promise<void> {
    const { incarnation, stateVersion: position, userName } = header;
    this.#core.known.floors?.ended(id, incarnation);
    const place = { sessionId: id, incarnation, position };
    const userId = this.#userOf(state, place);
    this.#core.tell(event, { sessionId: id, userId });
    if (userName === null) return;
    const names = userId === null ? [userName] : [userName, ...this.#users.namesOf(userId)];
    if (heir === null || !names.includes(heir)) await this.#users.leaveNames(names, id);
  }

  /** `null` also where the state cannot be read: the session has gone all the same. */
  #userOf(state: Buffer, place: { sessionId: string; incarnation: string; position: number }) {
    try {
      return this.#core.records.readState(state, place, null).userId;
    } catch (err) {
      const { sessionId } = place;
      this.#core.options.logger.warn({ err, sessionId }, 'A session that ended cannot be read');
      return null;
    }
  }

  #remove(id: string, args: readonly string[], event: Ended | 'expired'): Promise<string> {
    return repeatable(this.#removeOnce(id, args, event));
  }

  async #removeOnce(
    id: string,
    args: readonly string[],
    event: Ended | 'expired',
  ): Promise<string> {
    const nonce = randomId();
    const all = [...this.#core.calls.common(id), ...args, nonce];
    const { reply } = await this.#core.calls.run(scripts.remove, id, removeKeys, all, nonce);
    const outcome = text(reply[0]);
    if (outcome === 'alive') return outcome;
    this.#core.known.forget(id);
    await allOf([
      // The session has gone here, whether or not a replica says so.
      this.#followed(id, outcome, reply, event),
      // What was ended on purpose must not come back with a failover; what expired cannot.
      event === 'expired'
        ? Promise.resolve()
        : this.#core.replicas.confirm(id, nonce, { always: true }),
    ]);
    return outcome;
  }

  async #followed(
    id: string,
    outcome: string,
    reply: ReplyList,
    event: Ended | 'expired',
  ): Promise<void> {
    if (outcome === 'removed') {
      await this.left(id, parseHeader(text(reply[1])), bytesOrNull(reply[2]) ?? nothing, event);
    }
    if (outcome === 'cleared') {
      const { logger } = this.#core.options;
      logger.warn(
        { sessionId: id },
        'Something that was no session stood in the place of one, and was removed',
      );
      this.#core.tell(event, { sessionId: id, userId: null });
    }
    if (outcome === 'vanished') this.#core.tell('expired', { sessionId: id, userId: null });
  }
}
