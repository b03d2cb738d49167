import { StoreFullError } from '../errors/errors.ts';
import type { SessionStatus } from '../model/session.ts';
import { ExpiryBuckets } from './expiry-buckets.ts';
import { LinkedList } from './linked-list.ts';
import { PagedIndex } from './paged-index.ts';
import type { SessionRecord } from './session-record.ts';

/** Held sessions looked at for one whose lease has ended, when all are held. */
const heldReads = 16;

/**
 * The sessions there are, found by id, expiry, activity, user and status. It keeps its parts in
 * step: a record is in all of them or in none.
 */
export class SessionTable<Metadata extends object> {
  readonly #capacity: number;
  readonly #byId = new Map<string, SessionRecord<Metadata>>();
  readonly #expiry = new ExpiryBuckets<SessionRecord<Metadata>>();
  /** Not in a turn, least recently active first: what eviction takes. */
  readonly #idle = new LinkedList<SessionRecord<Metadata>>();
  /** In a turn, least recently begun or renewed first. */
  readonly #held = new LinkedList<SessionRecord<Metadata>>();
  readonly all = new PagedIndex<SessionRecord<Metadata>>();
  readonly #byUser = new Map<string, PagedIndex<SessionRecord<Metadata>>>();
  readonly #byStatus = new Map<SessionStatus, PagedIndex<SessionRecord<Metadata>>>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#byId.size;
  }

  get heldCount(): number {
    return this.#held.size;
  }

  get isFull(): boolean {
    return this.#byId.size >= this.#capacity;
  }

  get(id: string): SessionRecord<Metadata> | undefined {
    return this.#byId.get(id);
  }

  /** Any order; safe while records are removed. */
  records(): IterableIterator<SessionRecord<Metadata>> {
    return this.#byId.values();
  }

  ofUser(userId: string): PagedIndex<SessionRecord<Metadata>> | undefined {
    return this.#byUser.get(userId);
  }

  /** Only for statuses other than `active`: most sessions are active, so that index is `all`. */
  ofStatus(status: SessionStatus): PagedIndex<SessionRecord<Metadata>> | undefined {
    return this.#byStatus.get(status);
  }

  insert(record: SessionRecord<Metadata>): void {
    this.#byId.set(record.id, record);
    this.#expiry.place(record);
    this.#idle.append(record);
    record.entry = this.all.add(record);
    const { userId, status } = record.state;
    this.#indexUser(record, userId);
    this.#indexStatus(record, status);
  }

  remove(record: SessionRecord<Metadata>): void {
    record.removed = true;
    this.#byId.delete(record.id);
    this.#expiry.remove(record);
    (record.lease === null ? this.#idle : this.#held).remove(record);
    if (record.entry !== null) this.all.remove(record.entry);
    this.#unindexUser(record);
    this.#unindexStatus(record);
  }

  /** Call after the record was active or its expiry moved. */
  moved(record: SessionRecord<Metadata>): void {
    this.#expiry.place(record);
    const list = record.lease === null ? this.#idle : this.#held;
    list.remove(record);
    list.append(record);
  }

  /** Sets the record's lease, or takes it away, and keeps it where eviction expects it. */
  setLease(record: SessionRecord<Metadata>, lease: SessionRecord<Metadata>['lease']): void {
    (record.lease === null ? this.#idle : this.#held).remove(record);
    record.lease = lease;
    (lease === null ? this.#idle : this.#held).append(record);
    this.#expiry.place(record);
  }

  /** Sets the record's state and moves it between the indexes. */
  setState(record: SessionRecord<Metadata>, state: SessionRecord<Metadata>['state']): void {
    record.state = state;
    if (record.indexedUser !== state.userId) {
      this.#unindexUser(record);
      this.#indexUser(record, state.userId);
    }
    if (record.indexedStatus !== state.status) {
      this.#unindexStatus(record);
      this.#indexStatus(record, state.status);
    }
  }

  /** At most `limit` records that have expired. */
  expired(now: number, limit: number): SessionRecord<Metadata>[] {
    return this.#expiry.due(now, limit);
  }

  /**
   * The session to evict: the least recently active one that is not in a turn.
   * @throws StoreFullError when all are.
   */
  evictable(now: number): SessionRecord<Metadata> {
    if (this.#idle.first !== null) return this.#idle.first;
    let record = this.#held.first;
    for (let reads = 0; record !== null && reads < heldReads; reads += 1) {
      const leaseEnded = record.lease !== null && record.lease.until <= now;
      if (leaseEnded && (record.queue === null || record.queue.size === 0)) return record;
      record = record.next;
    }
    throw new StoreFullError(
      `All ${this.#capacity} sessions that the store may hold are in turns.`,
    );
  }

  #indexUser(record: SessionRecord<Metadata>, userId: string | null): void {
    record.indexedUser = userId;
    record.userEntry = userId === null ? null : indexOf(this.#byUser, userId).add(record);
  }

  #unindexUser(record: SessionRecord<Metadata>): void {
    const { indexedUser: userId } = record;
    if (userId !== null) leave(this.#byUser, userId, record.userEntry);
    record.userEntry = null;
  }

  #indexStatus(record: SessionRecord<Metadata>, status: SessionStatus): void {
    record.indexedStatus = status;
    record.statusEntry = status === 'active' ? null : indexOf(this.#byStatus, status).add(record);
  }

  #unindexStatus(record: SessionRecord<Metadata>): void {
    const { indexedStatus: status } = record;
    if (status !== 'active') leave(this.#byStatus, status, record.statusEntry);
    record.statusEntry = null;
  }
}

function indexOf<Key, Item>(indexes: Map<Key, PagedIndex<Item>>, key: Key): PagedIndex<Item> {
  const index = indexes.get(key) ?? new PagedIndex<Item>();
  indexes.set(key, index);
  return index;
}

function leave<Key, Item>(
  indexes: Map<Key, PagedIndex<Item>>,
  key: Key,
  entry: Parameters<PagedIndex<Item>['remove']>[0] | null,
): void {
  const index = indexes.get(key);
  if (index === undefined || entry === null) return;
  index.remove(entry);
  if (index.size === 0) indexes.delete(key);
}
