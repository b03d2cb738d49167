import { ClearIdWarning } from '../codec/clear-id-warning.ts';
import type { Codec } from '../codec/codec.ts';
import {
  type HoldfastError,
  SessionGoneError,
  SessionLimitError,
  SessionNotFoundError,
  StoreUnavailableError,
  VersionConflictError,
} from '../errors/errors.ts';
import { assertId, randomId } from '../model/ids.ts';
import type { SessionCredentials, SessionState } from '../model/session.ts';
import { type ParsedInit, parseInit } from '../model/state.ts';
import { Emitter } from '../store/emitter.ts';
import type { StoreEventName, StoreEvents } from '../store/store-events.ts';
import type { ResolvedStoreOptions } from '../store/store-options.ts';
import { History } from './history.ts';
import { LiveStream } from './live-stream.ts';
import { OutcomeLedger } from './outcome-ledger.ts';
import { type HeldLease, SessionRecord } from './session-record.ts';
import { SessionTable } from './session-table.ts';

/** Sessions removed in one go, before others get their turn. */
const sweepBatch = 2_000;

/**
 * The sessions of the in-memory store: finding, adding and removing them, and what follows from
 * that. Everything here runs to its end without waiting, which is what makes it atomic.
 */
export class MemoryCore<Metadata extends object> {
  readonly options: ResolvedStoreOptions<Metadata>;
  readonly table: SessionTable<Metadata>;
  readonly events: Emitter<StoreEvents>;
  readonly #codec: Codec | null;
  readonly #clearIds: ClearIdWarning | null;
  #cancelSweep: (() => void) | null = null;
  #closed = false;

  constructor(
    options: ResolvedStoreOptions<Metadata>,
    maxSessions: number,
    codec: Codec | null = null,
  ) {
    this.options = options;
    this.table = new SessionTable(maxSessions);
    this.events = new Emitter(options.logger);
    this.#codec = codec;
    this.#clearIds = codec?.authenticates ? new ClearIdWarning(options.logger) : null;
  }

  get closed(): boolean {
    return this.#closed;
  }

  now(): number {
    return this.options.clock.now();
  }

  assertOpen(): void {
    if (this.#closed) throw new StoreUnavailableError('The session store was closed.');
  }

  /** The session's record, if it exists at this instant. One that has expired is removed here. */
  find(id: string): SessionRecord<Metadata> | null {
    this.assertOpen();
    const record = this.table.get(id);
    if (record === undefined) {
      assertId(id, 'A session id');
      return null;
    }
    if (record.expiresAt > this.now()) return record;
    this.remove(record, 'expired');
    return null;
  }

  /** @throws SessionNotFoundError */
  require(id: string): SessionRecord<Metadata> {
    const record = this.find(id);
    if (record === null) throw notFound(id);
    return record;
  }

  /** @throws SessionGoneError unless the session is still that incarnation. */
  requireIncarnation(id: string, incarnation: string): SessionRecord<Metadata> {
    const record = this.find(id);
    if (record?.incarnation !== incarnation) throw gone(id);
    return record;
  }

  /**
   * Adds a session, making room for it first.
   * @throws VersionConflictError, SessionLimitError, StoreFullError; then nothing was changed.
   */
  create(
    id: string,
    { state, counters }: ParsedInit,
    credentials: SessionCredentials,
  ): SessionRecord<Metadata> {
    if (this.find(id) !== null) {
      throw new VersionConflictError(`A session ${id} exists already.`);
    }
    this.#clearIds?.check(id, state.userId);
    const record = this.#newRecord(id, state);
    record.counters = counters;
    record.credentials = credentials;
    record.view(this.options.readMetadata); // throws unless the metadata fits its schema
    const now = this.now();
    if (this.table.isFull) this.removeExpired();
    const evicted = this.#oldestOverUserCap(state.userId);
    const displaced = this.table.isFull && evicted === null ? this.table.evictable(now) : null;
    if (evicted !== null) this.remove(evicted, 'evicted');
    if (displaced !== null) this.remove(displaced, 'evicted');
    this.table.insert(record);
    this.#scheduleSweep();
    this.tell('created', record);
    return record;
  }

  /**
   * Tries the table with a session of its own, outside capacity and events: a probe must not push
   * out a customer's session.
   */
  probe(): { set: boolean; get: boolean; delete: boolean } {
    const { state } = parseInit('probe', {});
    const probe = this.#newRecord(`holdfast.health.${randomId()}`, state);
    this.table.insert(probe);
    const set = this.table.get(probe.id) === probe;
    const get = this.find(probe.id) === probe;
    this.table.remove(probe);
    return { set, get, delete: this.table.get(probe.id) === undefined };
  }

  /** Takes the session away from everybody: its holder, its waiters and its readers too. */
  remove(record: SessionRecord<Metadata>, why: 'deleted' | 'expired' | 'evicted'): void {
    this.table.remove(record);
    turnAway(record, gone(record.id));
    this.tell(why, record);
  }

  /** Puts a new state in, and tells of what that means. Does not count as a write by itself. */
  setState(record: SessionRecord<Metadata>, state: SessionState): void {
    const before = record.state;
    if (before === state) return;
    this.#clearIds?.check(record.id, state.userId);
    const evicted = before.userId === state.userId ? null : this.#oldestOverUserCap(state.userId);
    if (evicted !== null && evicted !== record) this.remove(evicted, 'evicted');
    this.table.setState(record, state);
    if (state.escalated && !before.escalated) this.tell('escalated', record);
    if (state.status !== before.status) {
      const { userId, status } = state;
      this.events.emit('status', { sessionId: record.id, userId, status });
    }
  }

  /** Records a write: a new version, activity, and the record's new places. */
  written(record: SessionRecord<Metadata>): void {
    record.written(this.now(), this.options.idleTimeoutMs);
    this.table.moved(record);
  }

  touched(record: SessionRecord<Metadata>): void {
    record.touched(this.now(), this.options.idleTimeoutMs);
    this.table.moved(record);
  }

  history(record: SessionRecord<Metadata>): History {
    record.history ??= new History(this.options.maxMessages, record.sealer);
    return record.history;
  }

  outcomes(record: SessionRecord<Metadata>): OutcomeLedger {
    record.outcomes ??= new OutcomeLedger(this.options.outcomeTtlMs, record.sealer);
    return record.outcomes;
  }

  live(record: SessionRecord<Metadata>): LiveStream {
    record.live ??= new LiveStream(record.sealer);
    return record.live;
  }

  /** Removes a batch of what has expired; how many. */
  removeExpired(): number {
    const expired = this.table.expired(this.now(), sweepBatch);
    for (const record of expired) this.remove(record, 'expired');
    return expired.length;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelSweep?.();
    const error = new StoreUnavailableError('The session store was closed.');
    for (const record of this.table.records()) turnAway(record, error);
  }

  tell(name: Exclude<StoreEventName, 'status'>, record: SessionRecord<Metadata>): void {
    this.events.emit(name, { sessionId: record.id, userId: record.indexedUser });
  }

  /** The session that must go so that the user may have one more; `null` when none must. */
  #oldestOverUserCap(userId: string | null): SessionRecord<Metadata> | null {
    const { maxPerUser, maxPerUserPolicy } = this.options;
    if (userId === null || maxPerUser === 0) return null;
    const now = this.now();
    for (const record of [...(this.table.ofUser(userId)?.items() ?? [])]) {
      if (record.expiresAt <= now) this.remove(record, 'expired');
    }
    const sessions = this.table.ofUser(userId);
    if (sessions === undefined || sessions.size < maxPerUser) return null;
    if (maxPerUserPolicy === 'reject') {
      throw new SessionLimitError(`The user has ${sessions.size} sessions, which is the most.`);
    }
    const { value: oldest } = sessions.items().next();
    return oldest ?? null;
  }

  #newRecord(id: string, state: SessionState): SessionRecord<Metadata> {
    const { idleTimeoutMs: idleMs, absoluteTimeoutMs: absoluteMs } = this.options;
    const codec = this.#codec;
    return new SessionRecord(id, state, this.now(), { idleMs, absoluteMs, codec });
  }

  #scheduleSweep(): void {
    if (this.#cancelSweep !== null || this.#closed) return;
    const { clock, removedWithinMs } = this.options;
    const sweep = () => {
      const removed = this.removeExpired();
      this.#cancelSweep = null;
      if (this.table.size === 0) return;
      // A full batch may have left some: go on as soon as others had their turn.
      const restMs = removed === sweepBatch ? 0 : removedWithinMs;
      this.#cancelSweep = clock.setTimer(restMs, sweep, { background: true });
    };
    this.#cancelSweep = clock.setTimer(removedWithinMs, sweep, { background: true });
  }
}

/** Tells the holder, apart from the write that took its lease: what it does can't disturb that. */
export function notifyLost<Metadata extends object>(
  { onLost }: HeldLease<Metadata>,
  reason: HoldfastError,
): void {
  if (onLost !== undefined) queueMicrotask(() => onLost(reason));
}

/** Ends everything that goes on in a session: its turn, the waits for it, the reading of it. */
function turnAway<Metadata extends object>(
  record: SessionRecord<Metadata>,
  error: HoldfastError,
): void {
  record.cancelLeaseTimer?.();
  record.cancelLeaseTimer = null;
  if (record.lease !== null) notifyLost(record.lease, error);
  let waiter = record.queue?.shift() ?? null;
  while (waiter !== null) {
    waiter.fail(error);
    waiter = record.queue?.shift() ?? null;
  }
  record.live?.end();
}

function gone(id: string): SessionGoneError {
  return new SessionGoneError(`The session ${id} was deleted or has expired.`);
}

export function notFound(id: string): SessionNotFoundError {
  return new SessionNotFoundError(`There is no session ${id} here.`);
}
