import { ValidationError } from '../../errors/errors.ts';
import { assertId, isId } from '../../model/ids.ts';
import { maxPageSize } from '../../model/limits.ts';
import {
  type Session,
  type SessionState,
  type SessionStatus,
  sessionStatuses,
} from '../../model/session.ts';
import { parseStatus } from '../../model/state.ts';
import type { ListOptions, SessionPage } from '../../store/session-store.ts';
import type { UnreadableSession } from '../../store/unreadable.ts';
import type { RedisReply } from '../connection/redis-connection.ts';
import { int, list, text } from '../connection/reply.ts';
import type { RedisCore } from '../core/redis-core.ts';
import { whyUnreadable } from '../core/unreadable.ts';
import type { UserIndex } from '../sessions/user-index.ts';

/** Index entries looked at for one page at most. */
const listReads = 1_000;

/** A batch of all ids, and where the rest begins. */
export interface IdBatch {
  readonly ids: readonly string[];
  readonly cursor: string | null;
}

/** A part of all ids, in the order in which they are listed. */
export interface IdRange {
  /** The cursor of the batch before; the beginning unless given. */
  readonly from?: string | undefined;
  /** The cursor of the last batch; the end unless given. */
  readonly until?: string | undefined;
}

/** Where an index of ids, bucket by bucket, goes on: behind `id` in `bucket`. */
interface Place {
  readonly bucket: number;
  readonly id: string;
}

/** What an index has named, and is there; of one that cannot be read nobody may know the state. */
type Found<Metadata extends object> = (
  | { readonly session: Session<Metadata>; readonly state: SessionState }
  | { readonly why: UnreadableSession; readonly state: SessionState | null }
) & {
  /** Whether it has the status that is asked for. */
  readonly isWanted: boolean;
};

/** Pages of the sessions that exist now, in an order that nothing moves. */
export class Listing<Metadata extends object> {
  readonly #core: RedisCore<Metadata>;
  readonly #users: UserIndex<Metadata>;

  constructor(core: RedisCore<Metadata>, users: UserIndex<Metadata>) {
    this.#core = core;
    this.#users = users;
  }

  /** @throws ValidationError */
  async page(options: ListOptions): Promise<SessionPage<Metadata>> {
    options.signal?.throwIfAborted();
    const limit = pageSize(options.limit);
    const status = options.status === undefined ? undefined : parseStatus(options.status);
    if (options.userId === undefined) {
      return this.#pageOfIndex(limit, status, parsePlace(options.cursor));
    }
    assertId(options.userId, 'userId');
    return this.#pageOfUser(options.userId, limit, status, parseOrder(options.cursor));
  }

  /** The ids of the store, a batch at a time. */
  async *ids({ from, until }: IdRange = {}): AsyncGenerator<IdBatch> {
    const end = until === undefined ? null : parsePlace(until);
    const isIn = (found: Place) => end === null || !isBehind(found, end);
    let place: Place | null = parsePlace(from);
    while (place !== null && (end === null || isBehind(end, place))) {
      const next: { ids: string[]; place: Place | null } = await this.#ids(
        undefined,
        place,
        maxPageSize,
      );
      place = next.place;
      const ids = next.ids.filter((id) => isIn({ bucket: this.#core.keys.bucketOf(id), id }));
      yield { ids, cursor: place === null ? null : formatPlace(place) };
    }
  }

  async #pageOfIndex(
    limit: number,
    status: SessionStatus | undefined,
    from: Place,
  ): Promise<SessionPage<Metadata>> {
    const page = new PageInTheMaking<Metadata>(limit);
    let place: Place | null = from;
    for (let looks = 0, reads = 0; place !== null && page.room > 0 && reads < listReads; looks++) {
      const size = lookSize(looks, page.room);
      const next: { ids: string[]; place: Place | null } = await this.#ids(status, place, size);
      const taken = page.take(await Promise.all(next.ids.map((id) => this.#read(id, status))));
      reads += Math.max(next.ids.length, 1);
      const last = taken < next.ids.length ? next.ids[taken - 1] : undefined;
      place =
        last === undefined ? next.place : { bucket: this.#core.keys.bucketOf(last), id: last };
    }
    return page.until(place === null ? null : formatPlace(place));
  }

  async #pageOfUser(
    userId: string,
    limit: number,
    status: SessionStatus | undefined,
    from: number,
  ): Promise<SessionPage<Metadata>> {
    const page = new PageInTheMaking<Metadata>(limit);
    let after = from;
    for (let looks = 0, reads = 0; page.room > 0 && reads < listReads; looks++) {
      const size = lookSize(looks, page.room);
      const entries = await this.#users.page(userId, after, size);
      const owned = await Promise.all(entries.map(({ id }) => this.#read(id, status)));
      // Whose one is that cannot be read, nobody may know.
      const theirs = owned.map((found) =>
        found !== null && (found.state === null || found.state.userId === userId) ? found : null,
      );
      await this.#users.heal(
        userId,
        entries.filter((_, at) => theirs[at] === null),
      );
      const taken = page.take(theirs);
      after = entries[taken - 1]?.order ?? after;
      reads += entries.length;
      if (taken === entries.length && entries.length < size) return page.until(null);
    }
    return page.until(after.toString(36));
  }

  /** `null` when there is no such session. */
  async #read(id: string, status: SessionStatus | undefined): Promise<Found<Metadata> | null> {
    let state: SessionState | null = null;
    try {
      const stored = await this.#core.stored.read(id);
      if (stored === null) return null;
      state = stored.snapshot.state;
      const isWanted = status === undefined || state.status === status;
      return { session: this.#core.stored.view(id, stored), state, isWanted };
    } catch (error) {
      const why = whyUnreadable(id, error);
      if (why === null) throw error;
      const isWanted =
        status === undefined || (state?.status ?? (await this.#indexedStatus(id))) === status;
      return { why, state, isWanted };
    }
  }

  async #indexedStatus(id: string): Promise<SessionStatus> {
    const { link, keys } = this.#core;
    const others = sessionStatuses.filter((status) => status !== 'active');
    const members = others.map((status) => `${status}:${id}`);
    const scores = list(
      await link.command(['ZMSCORE', keys.statuses(keys.bucketOf(id)), ...members]),
    );
    return others.find((_, at) => scores[at] !== null) ?? 'active';
  }

  /** At most `limit` ids behind a place, and where the rest begins; `null` when there is none. */
  async #ids(
    status: SessionStatus | undefined,
    from: Place,
    limit: number,
  ): Promise<{ ids: string[]; place: Place | null }> {
    const { link, keys } = this.#core;
    const special = status !== undefined && status !== 'active';
    const prefix = special ? `${status}:` : '';
    const keyOf = (bucket: number) => (special ? keys.statuses(bucket) : keys.all(bucket));
    const buckets = Array.from({ length: keys.buckets - from.bucket }, (_, at) => from.bucket + at);
    const sizes = await Promise.all(
      buckets.map((bucket) => link.command(['ZCARD', keyOf(bucket)])),
    );
    const wanted: number[] = [];
    let expected = 0;
    for (const [at, bucket] of buckets.entries()) {
      if (expected >= limit + 1 && wanted.length > 1) break;
      const size = int(sizes[at]);
      if (size === 0) continue;
      wanted.push(bucket);
      // Of the first bucket some lie before the place.
      if (bucket !== from.bucket || from.id === '') expected += size;
    }
    const replies: RedisReply[] = await Promise.all(
      wanted.map((bucket) => {
        const behind =
          bucket === from.bucket && from.id !== '' ? `(${prefix}${from.id}` : `[${prefix}`;
        const end = special ? `(${status};` : '+';
        const range = ['ZRANGEBYLEX', keyOf(bucket), behind, end, 'LIMIT', '0', String(limit + 1)];
        return link.command(range);
      }),
    );
    const found = replies.flatMap((reply, at) =>
      (Array.isArray(reply) ? reply : []).map((member) => ({
        bucket: wanted[at] ?? 0,
        id: text(member).slice(prefix.length),
      })),
    );
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const lastWanted = wanted.at(-1);
    const unread = buckets.some((bucket, at) => bucket > (lastWanted ?? -1) && int(sizes[at]) > 0);
    if (last === undefined) {
      return {
        ids: [],
        place: unread ? { bucket: (lastWanted ?? from.bucket) + 1, id: '' } : null,
      };
    }
    return {
      ids: page.map(({ id }) => id),
      place: found.length > limit || unread ? last : null,
    };
  }
}

/** What a page has so far. */
class PageInTheMaking<Metadata extends object> {
  readonly #limit: number;
  readonly #sessions: Session<Metadata>[] = [];
  readonly #unreadable: UnreadableSession[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many sessions it has room for. */
  get room(): number {
    return this.#limit - this.#sessions.length;
  }

  /** Takes what belongs on it, until it is full. @returns how many of these were looked at */
  take(all: readonly (Found<Metadata> | null)[]): number {
    let looked = 0;
    for (const found of all) {
      if (this.room === 0) break;
      looked += 1;
      if (found === null || !found.isWanted) continue;
      if ('why' in found) this.#unreadable.push(found.why);
      else this.#sessions.push(found.session);
    }
    return looked;
  }

  until(cursor: string | null): SessionPage<Metadata> {
    return { sessions: this.#sessions, unreadable: this.#unreadable, cursor };
  }
}

/**
 * How many entries the next look is at: as many as there is room for, and where earlier looks have not
 * found them, more each time, so that few of them find a rare one.
 */
function lookSize(looks: number, room: number): number {
  return Math.max(room, Math.min(2 ** looks, maxPageSize));
}

function pageSize(limit = 50): number {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= maxPageSize) return limit;
  throw new ValidationError(`limit must be a whole number from 1 to ${maxPageSize}, not ${limit}.`);
}

/** As Redis orders the ids of a bucket: by their bytes, and ids are ASCII. */
function isBehind(one: Place, other: Place): boolean {
  return one.bucket === other.bucket ? one.id > other.id : one.bucket > other.bucket;
}

function formatPlace({ bucket, id }: Place): string {
  return `${bucket.toString(36)}~${id}`;
}

function parsePlace(cursor: string | undefined): Place {
  if (cursor === undefined) return { bucket: 0, id: '' };
  const [, bucket = '', id = ''] = /^([0-9a-z]{1,4})~(.*)$/.exec(cursor) ?? [];
  if (bucket === '' || (id !== '' && !isId(id))) throw badCursor();
  return { bucket: Number.parseInt(bucket, 36), id };
}

function parseOrder(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  const order = /^[0-9a-z]{1,11}$/.test(cursor) ? Number.parseInt(cursor, 36) : Number.NaN;
  if (Number.isSafeInteger(order)) return order;
  throw badCursor();
}

function badCursor(): ValidationError {
  return new ValidationError('cursor must be the cursor of the page before.');
}
