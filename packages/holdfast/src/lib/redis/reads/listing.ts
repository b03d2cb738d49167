import { ValidationError } from '../../errors/errors.ts';
import { assertId, isId } from '../../model/ids.ts';
import { maxPageSize } from '../../model/limits.ts';
import type { Session, SessionState, SessionStatus } from '../../model/session.ts';
import { parseStatus } from '../../model/state.ts';
import type { ListOptions, SessionPage } from '../../store/session-store.ts';
import type { UnreadableSession } from '../../store/unreadable.ts';
import type { RedisReply } from '../connection/redis-connection.ts';
import { int, text } from '../connection/reply.ts';
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
type Found<Metadata extends object> =
  | { readonly session: Session<Metadata>; readonly state: SessionState }
  | { readonly why: UnreadableSession; readonly state: SessionState | null };

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
    const sessions: Session<Metadata>[] = [];
    const unreadable: UnreadableSession[] = [];
    let place: Place | null = from;
    for (let reads = 0; place !== null && sessions.length < limit && reads < listReads; ) {
      const next: { ids: string[]; place: Place | null } = await this.#ids(
        status,
        place,
        limit - sessions.length,
      );
      for (const found of await Promise.all(next.ids.map((id) => this.#read(id)))) {
        if (found === null || !mayBe(found.state, status)) continue;
        if ('why' in found) unreadable.push(found.why);
        else sessions.push(found.session);
      }
      reads += Math.max(next.ids.length, 1);
      place = next.place;
    }
    return { sessions, unreadable, cursor: place === null ? null : formatPlace(place) };
  }

  async #pageOfUser(
    userId: string,
    limit: number,
    status: SessionStatus | undefined,
    from: number,
  ): Promise<SessionPage<Metadata>> {
    const sessions: Session<Metadata>[] = [];
    const unreadable: UnreadableSession[] = [];
    let after = from;
    for (let reads = 0; sessions.length < limit && reads < listReads; ) {
      const wanted = limit - sessions.length;
      const entries = await this.#users.page(userId, after, wanted);
      const owned = await Promise.all(entries.map(({ id }) => this.#read(id)));
      // Whose one is that cannot be read, nobody may know.
      const isTheirs = (found: Found<Metadata> | null | undefined) =>
        found != null && (found.state === null || found.state.userId === userId);
      await this.#users.heal(
        userId,
        entries.filter((_, at) => !isTheirs(owned[at])),
      );
      for (const found of owned) {
        if (found === null || !isTheirs(found) || !mayBe(found.state, status)) continue;
        if ('why' in found) unreadable.push(found.why);
        else sessions.push(found.session);
      }
      after = entries.at(-1)?.order ?? after;
      reads += entries.length;
      if (entries.length < wanted) return { sessions, unreadable, cursor: null };
    }
    return { sessions, unreadable, cursor: after.toString(36) };
  }

  /** `null` when there is no such session. */
  async #read(id: string): Promise<Found<Metadata> | null> {
    let state: SessionState | null = null;
    try {
      const stored = await this.#core.stored.read(id);
      if (stored === null) return null;
      state = stored.snapshot.state;
      return { session: this.#core.stored.view(id, stored), state };
    } catch (error) {
      const why = whyUnreadable(id, error);
      if (why === null) throw error;
      return { why, state };
    }
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

/** Whether a session of this state, where that is known, has the status that is asked for. */
function mayBe(state: SessionState | null, status: SessionStatus | undefined): boolean {
  return status === undefined || state === null || state.status === status;
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
