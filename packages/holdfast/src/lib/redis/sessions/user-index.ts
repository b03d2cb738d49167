import { DecryptionError, OutcomeUnknownError, SessionLimitError } from '../../errors/errors.ts';
import { randomId } from '../../model/ids.ts';
import type { CallReport } from '../connection/link/repeater.ts';
import type { RedisReply } from '../connection/redis-connection.ts';
import { int, list, type ReplyList, text } from '../connection/reply.ts';
import type { RedisCore } from '../core/redis-core.ts';
import { whyUnreadable } from '../core/unreadable.ts';
import { parseHeader, unknownIncarnation } from '../layout/header.ts';
import { word } from '../layout/keys.ts';
import { scripts } from '../scripts/scripts.ts';

/** An entry in a user's index, in the order of entering. */
export interface UserEntry {
  readonly id: string;
  readonly order: number;
}

/** A place in the index of a user: under which name, the user's epoch there, and the nonce of its entering. */
export interface Reservation {
  readonly name: string;
  readonly epoch: string;
  readonly nonce: string;
}

/** What a session enters for. */
export interface Entering {
  /** Of the call that this is a part of. */
  readonly nonce: string;
  /** Asked before another session goes for this one; throws if it must not. */
  readonly mayStay: () => Promise<void>;
}

/** Why a session that was to become a user's must end: the user was ended meanwhile, or has evicted it. */
export type Ended = 'deleted' | 'evicted';

export type EndSession = (id: string, incarnation: string, why: Ended) => Promise<void>;

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
  /** Set once: ending is removing, and removing leaves the index. */
  endSession: EndSession = async () => {};

  constructor(core: RedisCore<Metadata>) {
    this.#core = core;
  }

  /**
   * Makes room for the session and reserves its place, for as long as creating it may take.
   * @returns what `confirm` asks for. @throws SessionLimitError
   */
  async enter(userId: string, id: string, { nonce: of, mayStay }: Entering): Promise<Reservation> {
    const { maxPerUser, maxPerUserPolicy } = this.#core.options;
    // The cap counts what is under one name.
    if (maxPerUser > 0) await this.gather(userId);
    const [name] = this.namesOf(userId);
    const cap = String(maxPerUser);
    const nonce = word(of);
    const enter = async (checked: '0' | '1') =>
      list(await this.#ask(name, ['enter', id, cap, maxPerUserPolicy, checked, nonce]));
    let reply = await enter('0');
    if (text(reply[0]) === 'check') {
      await mayStay();
      const entries = entriesOf(reply.slice(1));
      await this.heal(userId, await this.#dead(userId, entries));
      reply = await enter('1');
    }
    if (text(reply[0]) === 'full') {
      throw new SessionLimitError(`The user has ${text(reply[1])} sessions, which is the most.`);
    }
    const [, epoch = '0', ...evicted] = reply.map(text);
    for (const other of evicted) {
      await this.#makeRoom(userId, other, of);
      await this.#ask(name, ['evicted', other]);
    }
    return { name, epoch, nonce };
  }

  /** Why the session must end; `null` when it may stay. */
  async confirm(
    userId: string,
    id: string,
    { name, epoch, nonce }: Reservation,
  ): Promise<Ended | null> {
    const report = { repeated: false };
    const args = ['confirm', id, epoch, nonce];
    const verdict = text(await this.#ask(name, args, { report }));
    // It may have ended meanwhile, when it could not leave what it had not entered yet. A repetition is not
    // told of that which the first call was told of.
    if (verdict === 'doubted' || report.repeated) await this.#look(userId, id, name);
    return verdict === 'deleted' || verdict === 'evicted' ? verdict : null;
  }

  /**
   * Instances whose rings begin with other keys each count under a name of their own. So whoever has
   * entered looks once more at all of them: the last one of those who race sees them all.
   * @throws SessionLimitError, by the policy: then this session must go
   */
  async assertWithinCap(userId: string, id: string): Promise<void> {
    const { maxPerUser, maxPerUserPolicy } = this.#core.options;
    if (maxPerUser === 0 || this.namesOf(userId).length === 1) return;
    const entries: UserEntry[] = [];
    for (let after = 0; ; after = entries.at(-1)?.order ?? after) {
      const page = await this.page(userId, after, batch);
      entries.push(...page);
      if (page.length < batch) break;
    }
    if (entries.length <= maxPerUser) return;
    const dead = await this.#dead(userId, entries);
    await this.heal(userId, dead);
    const alive = entries.filter((entry) => !dead.includes(entry));
    if (maxPerUserPolicy === 'evict_oldest') {
      const surplus = alive.slice(0, Math.max(0, alive.length - maxPerUser));
      for (const other of surplus) await this.#evict(userId, other.id);
    } else if (alive.findIndex((entry) => entry.id === id) >= maxPerUser) {
      throw new SessionLimitError(`The user has ${maxPerUser} sessions, which is the most.`);
    }
  }

  /** Takes the index itself away, unless something is in it: even its name is the user's. @returns whether it did */
  async forget(userId: string): Promise<boolean> {
    const forgotten = await Promise.all(
      this.namesOf(userId).map((name) => this.#ask(name, ['forget'])),
    );
    return forgotten.every((reply) => int(reply) === 1);
  }

  /**
   * For a session that was to become the user's, and was refused, or has ended: its entry stays only if one of its
   * id is the user's, or is to become it. Whatever becomes of this the refusal is what its caller must learn:
   * readers heal the entry.
   */
  async settle(userId: string, id: string, { name, nonce }: Reservation): Promise<void> {
    try {
      await this.#ask(name, ['leave', id, nonce]);
      await this.#look(userId, id, name);
    } catch (err) {
      const { logger } = this.#core.options;
      logger.warn({ err, sessionId: id }, "Failed to settle a session's entry in a user's index");
    }
  }

  /** For a session that is the user's no more, whatever becomes of this: readers heal the entry. */
  async leaveIfPossible(userId: string, id: string): Promise<void> {
    await this.leaveNames(this.namesOf(userId), id);
  }

  /** The same, by names that the index has. */
  async leaveNames(names: readonly string[], id: string): Promise<void> {
    try {
      await Promise.all(names.map((name) => this.#leave(name, id, names)));
    } catch (err) {
      const { logger } = this.#core.options;
      logger.warn({ err, sessionId: id }, "Failed to take a session from its user's index");
    }
  }

  /** The same, where it has entered under this name. */
  async #look(userId: string, id: string, name: string): Promise<void> {
    await this.leaveNames([...new Set([name, ...this.namesOf(userId)])], id);
  }

  /**
   * Another session of the id may be the user's by now, or be about to become it. The order is asked for
   * before the session: if one enters between this and the end, the entry has another.
   */
  async #leave(name: string, id: string, names: readonly string[]): Promise<void> {
    const order = text(await this.#ask(name, ['order', id]));
    if (order === '') return;
    const { known, link } = this.#core;
    const line = text(await link.command(['HGET', known.of(id).keys[0], 'h']));
    const userName = line === '' ? null : parseHeader(line).userName;
    if (userName === null || !names.includes(userName)) await this.#ask(name, ['heal', id, order]);
  }

  /** What is being created from before this does not stay. */
  async end(userId: string): Promise<void> {
    await this.#everywhere(userId, ['end'], randomId());
  }

  /** Those that have entered after `after`, in their order. */
  async page(userId: string, after: number, limit: number): Promise<readonly UserEntry[]> {
    const [first, ...others] = this.namesOf(userId);
    const entries = new Map<string, UserEntry>();
    // One after the other and back: an entry that goes from one name to another meanwhile is under
    // both for a moment, so that one of the looks finds it.
    for (const name of [...others, first, ...others]) {
      for (const entry of await this.#page(name, after, limit)) entries.set(entry.id, entry);
    }
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

  /** Those that are not the user's. One that cannot be read may be. */
  async #dead(userId: string, entries: readonly UserEntry[]): Promise<readonly UserEntry[]> {
    const dead: UserEntry[] = [];
    await Promise.all(
      entries.map(async (entry) => {
        if ((await this.incarnationOf(userId, entry.id)) === null) dead.push(entry);
      }),
    );
    return dead;
  }

  /**
   * Of a session that is the user's, and else `null`. Where it cannot be read, its header says so; and where that
   * is none, nothing contradicts the entry in the user's index.
   */
  async incarnationOf(userId: string, id: string): Promise<string | null> {
    try {
      const stored = await this.#core.stored.read(id);
      return stored?.snapshot.state.userId === userId ? stored.header.incarnation : null;
    } catch (error) {
      const why = whyUnreadable(id, error);
      if (why === null) throw error;
      if (!(error instanceof DecryptionError)) return unknownIncarnation;
      const { known, link } = this.#core;
      const line = text(await link.command(['HGET', known.of(id).keys[0], 'h']));
      if (line === '') return null;
      const { userName, incarnation } = parseHeader(line);
      return userName !== null && this.namesOf(userId).includes(userName) ? incarnation : null;
    }
  }

  async #page(name: string, after: number, limit: number): Promise<readonly UserEntry[]> {
    return entriesOf(list(await this.#ask(name, ['page', String(after), String(limit)])));
  }

  /** The nonce of the eviction would make another call of its caller's. */
  async #makeRoom(userId: string, other: string, nonce: string): Promise<void> {
    try {
      await this.#evict(userId, other);
    } catch (cause) {
      if (!(cause instanceof OutcomeUnknownError)) throw cause;
      const message = `Session ${other} was to make room for another one, and may have ended.`;
      throw new OutcomeUnknownError(message, { nonce, cause });
    }
  }

  /** An entry may outlast its session, whose id may be another one's by now. */
  async #evict(userId: string, id: string): Promise<void> {
    const incarnation = await this.incarnationOf(userId, id);
    if (incarnation !== null) await this.endSession(id, incarnation, 'evicted');
  }

  async #everywhere(userId: string, args: readonly string[], nonce?: string): Promise<void> {
    await Promise.all(this.namesOf(userId).map((name) => this.#ask(name, args, { nonce })));
  }

  /** @param how `nonce` where the caller must know that it may have happened */
  #ask(
    name: string,
    args: readonly string[],
    how: { readonly nonce?: string | undefined; readonly report?: CallReport } = {},
  ): Promise<RedisReply> {
    const { keys, link } = this.#core;
    return link.call(scripts.user, keys.user(name), args, how.nonce, how.report);
  }
}

/** As scripts tell them: session, order, session, order, … */
function entriesOf(reply: ReplyList): UserEntry[] {
  const entries: UserEntry[] = [];
  for (let at = 0; at < reply.length; at += 2) {
    entries.push({ id: text(reply[at]), order: int(reply[at + 1]) });
  }
  return entries;
}

function flat(entries: readonly UserEntry[]): string[] {
  return entries.flatMap(({ id, order }) => [id, String(order)]);
}
