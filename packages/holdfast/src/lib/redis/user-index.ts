import { SessionLimitError } from '../errors/errors.ts';
import { randomId } from '../model/ids.ts';
import type { RedisReply } from './connection/redis-connection.ts';
import type { RedisCore } from './redis-core.ts';
import { int, list, text } from './reply.ts';
import { scripts } from './scripts/scripts.ts';

/** An entry in a user's index, in the order of entering. */
export interface UserEntry {
  readonly id: string;
  readonly order: number;
}

/** Ends a session that must make room. */
export type Evict = (id: string) => Promise<void>;

/**
 * Which sessions are a user's. It lives in another slot than they do, so it may lag behind a crash:
 * an entry is a claim that the session itself confirms or not, and what claims wrongly is healed.
 */
export class UserIndex<Metadata extends object> {
  readonly #core: RedisCore<Metadata>;
  /** Set once: evicting is removing, and removing leaves the index. */
  evict: Evict = async () => {};

  constructor(core: RedisCore<Metadata>) {
    this.#core = core;
  }

  /**
   * Makes room for the session and reserves its place, for as long as creating it may take.
   * @param mayStay asked before another session goes for this one; throws if it must not
   * @returns the user's epoch, which `confirm` asks for. @throws SessionLimitError
   */
  async enter(userId: string, id: string, mayStay: () => Promise<void>): Promise<string> {
    const { maxPerUser, maxPerUserPolicy } = this.#core.options;
    const cap = String(maxPerUser);
    const nonce = randomId();
    let reply = await this.#call(userId, ['enter', id, cap, maxPerUserPolicy, '0', nonce]);
    if (text(reply[0]) === 'check') {
      await mayStay();
      await this.#check(userId, reply.slice(1).map(text));
      reply = await this.#call(userId, ['enter', id, cap, maxPerUserPolicy, '1', nonce]);
    }
    if (text(reply[0]) === 'full') {
      throw new SessionLimitError(`The user has ${text(reply[1])} sessions, which is the most.`);
    }
    const [, epoch, ...evicted] = reply.map(text);
    for (const other of evicted) {
      await this.evict(other);
      await this.#command(userId, ['evicted', other]);
    }
    return epoch ?? '0';
  }

  /** Whether the session may stay: not when the user was ended meanwhile, or has evicted it. */
  async confirm(userId: string, id: string, epoch: string): Promise<boolean> {
    return int(await this.#command(userId, ['confirm', id, epoch])) === 1;
  }

  async leave(userId: string, ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#command(userId, ['leave', ...ids]);
  }

  /** For a session that is the user's no more, whatever becomes of this: readers heal the entry. */
  async leaveIfPossible(userId: string, id: string): Promise<void> {
    await this.leaveByName(this.#core.codec.userNames(userId)[0], id);
  }

  /** The same, by the name that the index has. */
  async leaveByName(name: string, id: string): Promise<void> {
    const { keys, link, options } = this.#core;
    try {
      await link.call(scripts.user, keys.user(name), ['leave', id]);
    } catch (err) {
      options.logger.warn({ err, sessionId: id }, "Failed to take a session from its user's index");
    }
  }

  /** What is being created from before this does not stay. */
  async end(userId: string): Promise<void> {
    await this.#command(userId, ['end']);
  }

  async page(userId: string, after: number, limit: number): Promise<readonly UserEntry[]> {
    const reply = await this.#call(userId, ['page', String(after), String(limit)]);
    const entries: UserEntry[] = [];
    for (let at = 0; at < reply.length; at += 2) {
      entries.push({ id: text(reply[at]), order: int(reply[at + 1]) });
    }
    return entries;
  }

  /** Drops entries that were found to name no session of this user. */
  async heal(userId: string, entries: readonly UserEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const pairs = entries.flatMap(({ id, order }) => [id, String(order)]);
    await this.#command(userId, ['heal', ...pairs]);
  }

  async #check(userId: string, ids: readonly string[]): Promise<void> {
    const dead: string[] = [];
    await Promise.all(
      ids.map(async (id) => {
        const stored = await this.#core.read(id);
        if (stored?.snapshot.state.userId !== userId) dead.push(id);
      }),
    );
    await this.leave(userId, dead);
  }

  async #call(userId: string, args: readonly string[]): Promise<readonly RedisReply[]> {
    return list(await this.#command(userId, args));
  }

  #command(userId: string, args: readonly string[]): Promise<RedisReply> {
    const name = this.#core.codec.userNames(userId)[0];
    return this.#core.link.call(scripts.user, this.#core.keys.user(name), args);
  }
}
