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

/** Entries looked at in one go. */
const batch = 200;

/**
 * Which sessions are a user's. It lives in another slot than they do, so it may lag behind a crash:
 * an entry is a claim that the session itself confirms or not, and what claims wrongly is healed.
 *
 * A user may have several names, one for each key that names were made with. All are looked at; what
 * enters goes under the first. Orders are times, so those of several names make one order.
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
    // The cap counts what is under one name.
    if (maxPerUser > 0) await this.gather(userId);
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
    if (ids.length > 0) await this.#everywhere(userId, ['leave', ...ids]);
  }

  /** For a session that is the user's no more, whatever becomes of this: readers heal the entry. */
  async leaveIfPossible(userId: string, id: string): Promise<void> {
    await this.leaveNames(this.namesOf(userId), id);
  }

  /** The same, by names that the index has. */
  async leaveNames(names: readonly string[], id: string): Promise<void> {
    try {
      await Promise.all(names.map((name) => this.#ask(name, ['leave', id])));
    } catch (err) {
      const { logger } = this.#core.options;
      logger.warn({ err, sessionId: id }, "Failed to take a session from its user's index");
    }
  }

  /** What is being created from before this does not stay. */
  async end(userId: string): Promise<void> {
    await this.#everywhere(userId, ['end']);
  }

  /** Those that have entered after `after`, in their order. */
  async page(userId: string, after: number, limit: number): Promise<readonly UserEntry[]> {
    const [first, ...others] = this.namesOf(userId);
    const pages = [first, ...others].map((name) => this.#page(name, after, limit));
    const [own = [], ...rest] = await Promise.all(pages);
    if (rest.length === 0) return own;
    const entries = new Map([...own, ...rest.flat()].map((entry) => [entry.id, entry]));
    return [...entries.values()].sort((one, other) => one.order - other.order).slice(0, limit);
  }

  /** Drops entries that were found to name no session of this user. */
  async heal(userId: string, entries: readonly UserEntry[]): Promise<void> {
    if (entries.length > 0) await this.#everywhere(userId, ['heal', ...flat(entries)]);
  }

  /** Brings all that the user has under the first name. */
  async gather(userId: string): Promise<void> {
    const [first, ...others] = this.namesOf(userId);
    for (const name of others) {
      for (let after = 0; ; ) {
        const entries = await this.#page(name, after, batch);
        const last = entries.at(-1);
        if (last === undefined) break;
        await this.#ask(first, ['adopt', ...flat(entries)]);
        // One that is about to enter there stays, and is brought here the next time.
        await this.#ask(name, ['heal', ...flat(entries)]);
        after = last.order;
      }
    }
  }

  namesOf(userId: string): readonly [string, ...string[]] {
    return this.#core.codec.userNames(userId);
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

  async #page(name: string, after: number, limit: number): Promise<readonly UserEntry[]> {
    const reply = list(await this.#ask(name, ['page', String(after), String(limit)]));
    const entries: UserEntry[] = [];
    for (let at = 0; at < reply.length; at += 2) {
      entries.push({ id: text(reply[at]), order: int(reply[at + 1]) });
    }
    return entries;
  }

  async #call(userId: string, args: readonly string[]): Promise<readonly RedisReply[]> {
    return list(await this.#command(userId, args));
  }

  #command(userId: string, args: readonly string[]): Promise<RedisReply> {
    return this.#ask(this.namesOf(userId)[0], args);
  }

  async #everywhere(userId: string, args: readonly string[]): Promise<void> {
    await Promise.all(this.namesOf(userId).map((name) => this.#ask(name, args)));
  }

  #ask(name: string, args: readonly string[]): Promise<RedisReply> {
    const { keys, link } = this.#core;
    return link.call(scripts.user, keys.user(name), args);
  }
}

function flat(entries: readonly UserEntry[]): string[] {
  return entries.flatMap(({ id, order }) => [id, String(order)]);
}
