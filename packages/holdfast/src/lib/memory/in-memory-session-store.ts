import { setImmediate as nextTick } from 'node:timers/promises';
import type { Codec } from '../codec/codec.ts';
import { ValidationError } from '../errors/errors.ts';
import type { JsonObject } from '../json/json-value.ts';
import type { Message, NewMessage } from '../model/message.ts';
import {
  noCredentials,
  type Session,
  type SessionCredentials,
  type SessionInit,
  type SessionPatch,
} from '../model/session.ts';
import { sameHash } from '../model/token.ts';
import type { PreparedOutput, TurnEvent } from '../model/turn-event.ts';
import { assertAfter } from '../store/assert-after.ts';
import type {
  AppendOptions,
  BatchEntry,
  BatchResult,
  CreateOptions,
  CredentialsOptions,
  HistoryOptions,
  ListOptions,
  RateWindow,
  ReadOptions,
  SessionPage,
  SessionStore,
  StoredSession,
  SubscribeOptions,
  UpdateOptions,
  WriteOptions,
} from '../store/session-store.ts';
import type { StoreEventListener, StoreEventName } from '../store/store-events.ts';
import {
  maxDurationMs,
  resolveStoreOptions,
  type StoreOptions,
  whole,
} from '../store/store-options.ts';
import type { StoreHealth, StoreStats } from '../store/store-stats.ts';
import { TurnFigures } from '../store/turn-figures.ts';
import type {
  BeginOptions,
  CommitResult,
  Lease,
  TurnChanges,
  TurnEnd,
  TurnGrant,
  TurnReplay,
} from '../store/turn-store.ts';
import { listSessions } from './list-sessions.ts';
import { LiveReading } from './live-reading.ts';
import { MemoryCore } from './memory-core.ts';
import { Rates } from './rates.ts';
import { SessionChanges } from './session-changes.ts';
import type { SessionRecord } from './session-record.ts';
import { TurnEngine } from './turn-engine.ts';

export interface InMemorySessionStoreOptions<
  Metadata extends object = JsonObject,
  MetadataInput extends object = Metadata,
> extends StoreOptions<Metadata, MetadataInput> {
  /** Sessions held at most; then the least recently active one goes. Default 10,000. */
  readonly maxSessions?: number | undefined;
  /**
   * How values are kept: as they are unless given. What was handed out lately stays as it was, and so
   * do the names of users.
   */
  readonly codec?: Codec | undefined;
}

/**
 * Sessions in this process's memory, with the locking, expiry, versions, history, limits and errors
 * of the driver on Redis. For development, tests and one-process services; what it holds is gone
 * with the process.
 */
export class InMemorySessionStore<
  Metadata extends object = JsonObject,
  MetadataInput extends object = Metadata,
> implements SessionStore<Metadata, MetadataInput>
{
  readonly type = 'in_memory';
  readonly locking: boolean;
  readonly outputIntervalMs = 0;
  readonly #core: MemoryCore<Metadata>;
  readonly #changes: SessionChanges<Metadata, MetadataInput>;
  readonly #turns: TurnEngine<Metadata>;
  readonly #rates: Rates;
  readonly #maxSessions: number;
  readonly #turnFigures: TurnFigures;
  readonly #codec: Codec | undefined;

  /** @throws ConfigError for an option out of its range. */
  constructor(options: InMemorySessionStoreOptions<Metadata, MetadataInput> = {}) {
    const resolved = resolveStoreOptions<Metadata>(options);
    this.#maxSessions = whole(options.maxSessions ?? 10_000, 'maxSessions', 2 ** 24);
    this.#codec = options.codec;
    this.#turnFigures = new TurnFigures(resolved.clock);
    this.#core = new MemoryCore(resolved, this.#maxSessions, options.codec);
    this.#rates = new Rates(resolved.clock);
    this.#changes = new SessionChanges(this.#core);
    this.#turns = new TurnEngine(this.#core);
    this.locking = resolved.locking;
  }

  async create(
    id: string,
    init: SessionInit<MetadataInput> = {},
    options: CreateOptions = {},
  ): Promise<Session<Metadata>> {
    options.signal?.throwIfAborted();
    return this.#changes.create(id, init, options.credentials ?? noCredentials, options);
  }

  async get(id: string, options?: ReadOptions): Promise<Session<Metadata> | null> {
    options?.signal?.throwIfAborted();
    return this.#view(this.#core.find(id));
  }

  async getWithCredentials(
    id: string,
    { signal, tokenHash }: CredentialsOptions = {},
  ): Promise<StoredSession<Metadata> | null> {
    signal?.throwIfAborted();
    const record = this.#core.find(id);
    const isWrong =
      tokenHash !== undefined && !sameHash(record?.credentials.tokenHash ?? null, tokenHash);
    if (isWrong) return null;
    const session = this.#view(record);
    return record && session && { session, credentials: record.credentials };
  }

  async exists(id: string, options?: ReadOptions): Promise<boolean> {
    options?.signal?.throwIfAborted();
    return this.#core.find(id) !== null;
  }

  async set(
    id: string,
    data: SessionInit<MetadataInput>,
    options: UpdateOptions = {},
  ): Promise<Session<Metadata>> {
    options.signal?.throwIfAborted();
    const { ifVersion } = options;
    if (ifVersion === undefined || ifVersion === 0) return this.create(id, data, options);
    return this.#changes.replace(id, data, ifVersion, options);
  }

  async update(
    id: string,
    patch: SessionPatch<MetadataInput>,
    options: UpdateOptions = {},
  ): Promise<Session<Metadata>> {
    options.signal?.throwIfAborted();
    return this.#changes.update(id, patch, options);
  }

  async incrementCounter(
    id: string,
    name: string,
    by = 1,
    options: WriteOptions = {},
  ): Promise<number> {
    options.signal?.throwIfAborted();
    return this.#changes.increment(id, name, by, options);
  }

  async touch(id: string, options?: ReadOptions): Promise<boolean> {
    options?.signal?.throwIfAborted();
    const record = this.#core.find(id);
    if (record !== null) this.#core.touched(record);
    return record !== null;
  }

  async setCredentials(
    id: string,
    credentials: SessionCredentials,
    options: WriteOptions & { readonly ifTokenHash?: string | null | undefined } = {},
  ): Promise<Session<Metadata>> {
    options.signal?.throwIfAborted();
    return this.#changes.setCredentials(id, credentials, options);
  }

  async delete(id: string, options?: ReadOptions): Promise<boolean> {
    options?.signal?.throwIfAborted();
    return this.#delete(this.#core.find(id));
  }

  async getBatch(
    ids: readonly string[],
    options?: ReadOptions,
  ): Promise<ReadonlyMap<string, Session<Metadata>>> {
    options?.signal?.throwIfAborted();
    const sessions = new Map<string, Session<Metadata>>();
    for (const id of ids) {
      const session = this.#view(this.#core.find(id));
      if (session !== null) sessions.set(id, session);
    }
    return sessions;
  }

  async setBatch(
    entries: readonly BatchEntry<MetadataInput>[],
    options?: ReadOptions,
  ): Promise<readonly BatchResult<Metadata>[]> {
    options?.signal?.throwIfAborted();
    this.#core.assertOpen();
    return Promise.all(
      entries.map(async ({ id, data, ifVersion }): Promise<BatchResult<Metadata>> => {
        try {
          return { id, session: await this.set(id, data, { ifVersion }) };
        } catch (error) {
          return { id, error: error as Error };
        }
      }),
    );
  }

  async deleteBatch(ids: readonly string[], options?: ReadOptions): Promise<number> {
    options?.signal?.throwIfAborted();
    const outcomes = await Promise.allSettled(ids.map(async (id) => this.delete(id)));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    return outcomes.filter((outcome) => outcome.status === 'fulfilled' && outcome.value).length;
  }

  async deleteUser(
    userId: string,
    options: ReadOptions & { readonly except?: string | undefined } = {},
  ): Promise<number> {
    options.signal?.throwIfAborted();
    this.#core.assertOpen();
    const records = [...(this.#core.table.ofUser(userId)?.items() ?? [])];
    return records.filter(({ id }) => id !== options.except && this.#delete(this.#core.find(id)))
      .length;
  }

  async deleteAll(options?: ReadOptions): Promise<number> {
    options?.signal?.throwIfAborted();
    this.#core.assertOpen();
    let count = 0;
    for (const { id } of this.#core.table.records()) {
      if (this.#delete(this.#core.find(id))) count += 1;
    }
    return count;
  }

  async listActive(options: ListOptions = {}): Promise<SessionPage<Metadata>> {
    options.signal?.throwIfAborted();
    this.#core.assertOpen();
    return listSessions(this.#core, options);
  }

  async countActive(options?: ReadOptions): Promise<number> {
    await this.cleanupExpired(options);
    return this.#core.table.size;
  }

  async cleanupExpired(options?: ReadOptions): Promise<number> {
    let count = 0;
    let removed: number;
    do {
      options?.signal?.throwIfAborted();
      this.#core.assertOpen();
      removed = this.#core.removeExpired();
      count += removed;
      if (removed > 0) await nextTick(); // others get their turn between batches
    } while (removed > 0);
    return count;
  }

  async messages(id: string, options: HistoryOptions = {}): Promise<readonly Message[]> {
    options.signal?.throwIfAborted();
    const { limit, before, after, incarnation } = options;
    for (const [name, value] of Object.entries({ limit, before, after })) {
      if (value !== undefined && (!Number.isSafeInteger(value) || value < 0)) {
        throw new ValidationError(`${name} must be a whole number from 0, not ${value}.`);
      }
    }
    const record = this.#requireAs(id, incarnation);
    return record.history?.page(limit ?? Infinity, before ?? Infinity, after) ?? [];
  }

  async appendMessages(
    id: string,
    messages: readonly NewMessage[],
    options: AppendOptions = {},
  ): Promise<readonly Message[]> {
    options.signal?.throwIfAborted();
    return this.#changes.append(id, messages, options);
  }

  subscribe(id: string, options: SubscribeOptions = {}): AsyncIterableIterator<TurnEvent> {
    const { after, incarnation, onReady, signal } = options;
    return new LiveReading(signal, () => {
      assertAfter(after);
      const record = this.#requireAs(id, incarnation);
      const live = this.#core.live(record);
      const cursor = live.cursorFor(after);
      onReady?.();
      const onWait = () => {
        if (!record.removed && !this.#core.closed) this.#turns.watch(record);
      };
      return { live, cursor, onWait };
    });
  }

  readMetadata(stored: JsonObject): Metadata {
    return this.#core.options.readMetadata(stored);
  }

  async begin(
    id: string,
    options: BeginOptions,
  ): Promise<TurnGrant<Metadata> | TurnReplay<Metadata>> {
    return this.#turnFigures.begin(() => this.#turns.begin(id, options));
  }

  async renew(lease: Lease, leaseMs: number): Promise<Lease> {
    return this.#turns.renew(lease, leaseMs);
  }

  async emit(lease: Lease, output: readonly PreparedOutput[], nonce: string): Promise<void> {
    this.#turns.emit(lease, output, nonce);
  }

  async commit(lease: Lease, changes: TurnChanges, end: TurnEnd): Promise<CommitResult<Metadata>> {
    return this.#turnFigures.commit(() => this.#turns.commit(lease, changes, end));
  }

  async release(lease: Lease, output?: readonly PreparedOutput[]): Promise<boolean> {
    return this.#turns.release(lease, output);
  }

  async hit(key: string, periodMs: number): Promise<RateWindow> {
    this.#core.assertOpen();
    return this.#rates.hit(key, whole(periodMs, 'periodMs', maxDurationMs));
  }

  async getStats(options?: ReadOptions): Promise<StoreStats> {
    return {
      storeType: this.type,
      activeSessions: await this.countActive(options),
      maxSessions: this.#maxSessions,
      activeLeases: this.#core.table.heldCount,
      waiters: this.#turns.waiters,
      l1CacheEnabled: false,
      l1CacheSize: 0,
      l1CacheHitRate: 0,
      l1CacheHits: 0,
      l1CacheMisses: 0,
      l1CacheInvalidations: 0,
      encryptionEnabled: this.#codec?.authenticates ?? false,
      encryptionKeyIds: this.#codec?.keyIds ?? [],
      lockingEnabled: this.locking,
      turns: this.#turnFigures.report(),
      server: null,
    };
  }

  async healthCheck(options?: ReadOptions): Promise<StoreHealth> {
    options?.signal?.throwIfAborted();
    const failed = { set: false, get: false, delete: false };
    if (this.#core.closed) {
      return { healthy: false, operations: failed, error: 'The session store was closed.' };
    }
    const operations = this.#core.probe();
    return { healthy: operations.set && operations.get && operations.delete, operations };
  }

  on<Name extends StoreEventName>(name: Name, listener: StoreEventListener<Name>): () => void {
    return this.#core.events.on(name, listener);
  }

  async close(): Promise<void> {
    this.#core.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #view(record: SessionRecord<Metadata> | null): Session<Metadata> | null {
    return record === null ? null : record.view(this.#core.options.readMetadata);
  }

  #requireAs(id: string, incarnation: string | undefined): SessionRecord<Metadata> {
    if (incarnation === undefined) return this.#core.require(id);
    return this.#core.requireIncarnation(id, incarnation);
  }

  #delete(record: SessionRecord<Metadata> | null): boolean {
    if (record !== null) this.#core.remove(record, 'deleted');
    return record !== null;
  }
}
