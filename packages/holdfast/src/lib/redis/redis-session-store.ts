import { type HoldfastError, StoreUnavailableError } from '../errors/errors.ts';
import type { JsonObject } from '../json/json-value.ts';
import { assertId } from '../model/ids.ts';
import type { Message, NewMessage } from '../model/message.ts';
import {
  noCredentials,
  parseCredentials,
  type Session,
  type SessionCredentials,
  type SessionInit,
  type SessionPatch,
} from '../model/session.ts';
import { parseInit } from '../model/state.ts';
import type { PreparedOutput, TurnEvent } from '../model/turn-event.ts';
import type {
  AppendOptions,
  BatchEntry,
  BatchResult,
  CreateOptions,
  CredentialsOptions,
  GetOptions,
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
import { maxDurationMs, whole } from '../store/store-options.ts';
import type { StoreHealth, StoreStats } from '../store/store-stats.ts';
import type {
  BeginOptions,
  CommitResult,
  Lease,
  TurnChanges,
  TurnEnd,
  TurnGrant,
  TurnReplay,
} from '../store/turn-store.ts';
import { deleteEach, despiteFailures, getEach, setEach } from './batches.ts';
import type { RedisCore } from './core/redis-core.ts';
import { type OpenCore, openCore } from './open-core.ts';
import { Rates } from './rates.ts';
import { HistoryReader } from './reads/history.ts';
import { Listing } from './reads/listing.ts';
import { LiveReader } from './reads/live-reader.ts';
import type { RedisSessionStoreOptions } from './redis-options.ts';
import { Creation } from './sessions/creation.ts';
import { Removals } from './sessions/removals.ts';
import { Sweeper } from './sessions/sweeper.ts';
import { UserIndex } from './sessions/user-index.ts';
import { Begins } from './turns/begins.ts';
import { Leases } from './turns/leases.ts';
import { Turns } from './turns/turns.ts';
import { Upkeep } from './upkeep/upkeep.ts';
import { Vitals } from './upkeep/vitals.ts';
import { SessionChanges } from './writes/session-changes.ts';
import { named } from './writes/write-order.ts';
import { Writes } from './writes/writes.ts';

/**
 * Sessions on Redis 6.2 or newer, or Valkey, alone or with Sentinel, or on a Cluster of 7.0 or newer:
 * shared by any number of processes, with turns in two round trips. Its clock is the server's.
 */
export class RedisSessionStore<
  Metadata extends object = JsonObject,
  MetadataInput extends object = Metadata,
> implements SessionStore<Metadata, MetadataInput>
{
  readonly type = 'redis';
  readonly locking: boolean;
  readonly outputIntervalMs: number;
  /** For the command line. */
  readonly upkeep: Upkeep<Metadata>;
  readonly #core: RedisCore<Metadata>;
  readonly #creation: Creation<Metadata>;
  readonly #changes: SessionChanges<Metadata, MetadataInput>;
  readonly #removals: Removals<Metadata>;
  readonly #leases: Leases<Metadata>;
  readonly #begins: Begins<Metadata>;
  readonly #turns: Turns<Metadata>;
  readonly #history: HistoryReader<Metadata>;
  readonly #live: LiveReader<Metadata>;
  readonly #listing: Listing<Metadata>;
  readonly #vitals: Vitals<Metadata>;
  readonly #rates: Rates<Metadata>;
  readonly #sweeper: Sweeper<Metadata>;
  #stopForgetting: (() => void) | undefined;

  private constructor({ core, outputIntervalMs }: OpenCore<Metadata>) {
    this.locking = core.options.locking;
    this.outputIntervalMs = outputIntervalMs;
    this.#core = core;
    const users = new UserIndex(core);
    this.#removals = new Removals(core, users);
    this.#creation = new Creation(core, users, this.#removals);
    const writes = new Writes(core, users);
    this.#changes = new SessionChanges(core, writes);
    this.#leases = new Leases(core);
    this.#begins = new Begins(core, this.#leases);
    this.#turns = new Turns(core, writes, this.#leases);
    this.#history = new HistoryReader(core);
    this.#live = new LiveReader(core);
    this.#listing = new Listing(core, users);
    this.#vitals = new Vitals(core, this.#removals);
    this.#rates = new Rates(core);
    this.#sweeper = new Sweeper(core, this.#removals);
    this.upkeep = new Upkeep({
      ...{ core, users, listing: this.#listing },
      ...{ history: this.#history, removals: this.#removals },
    });
  }

  /**
   * Connects, and checks that the server and what it holds fit.
   * @throws ConfigError, StoreUnavailableError; the reason of `signal` when that aborts
   */
  static async connect<
    Metadata extends object = JsonObject,
    MetadataInput extends object = Metadata,
  >(
    options: RedisSessionStoreOptions<Metadata, MetadataInput>,
  ): Promise<RedisSessionStore<Metadata, MetadataInput>> {
    return openCore(options, async (open: OpenCore<Metadata>) => {
      const store = new RedisSessionStore<Metadata, MetadataInput>(open);
      await store.#listen();
      return store;
    });
  }

  async #listen(): Promise<void> {
    const { codec, known, link } = this.#core;
    const askAgain = () => {
      this.#leases.inbox.askAgain();
      this.#live.lookAgain();
    };
    link.onGap(askAgain);
    // It may not know of those who wait: after a gap they have asked whoever answered then.
    link.onServer(askAgain);
    // Of a cluster there is an inbox for each bucket that has turns: `Begins` opens them.
    if (!link.isSharded) await this.#leases.openInbox('');
    this.#sweeper.start();
    this.#stopForgetting = codec.onKeysRemoved?.(() => known.forgetAll());
  }

  async create(
    id: string,
    init: SessionInit<MetadataInput> = {},
    options: CreateOptions = {},
  ): Promise<Session<Metadata>> {
    options.signal?.throwIfAborted();
    const parsed = parseInit(id, init);
    const credentials = parseCredentials(options.credentials ?? noCredentials);
    return this.#creation.create(id, parsed, credentials, named(options));
  }

  get(id: string, options?: GetOptions): Promise<Session<Metadata> | null> {
    if (options?.fresh || options?.signal?.aborted) return this.#read(id, options);
    return this.#core.known.l1?.get(id) ?? this.#read(id, options);
  }

  async #read(id: string, options?: GetOptions): Promise<Session<Metadata> | null> {
    options?.signal?.throwIfAborted();
    const stored = await this.#core.stored.read(id);
    return stored && this.#core.stored.view(id, stored);
  }

  async getWithCredentials(
    id: string,
    { signal, tokenHash }: CredentialsOptions = {},
  ): Promise<StoredSession<Metadata> | null> {
    signal?.throwIfAborted();
    const stored = await this.#core.stored.read(id, tokenHash);
    return (
      stored && {
        session: this.#core.stored.view(id, stored),
        credentials: stored.snapshot.credentials,
      }
    );
  }

  async exists(id: string, options?: ReadOptions): Promise<boolean> {
    options?.signal?.throwIfAborted();
    return (await this.#core.stored.read(id)) !== null;
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
    return this.#changes.touch(id);
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
    assertId(id, 'A session id');
    return this.#removals.delete(id);
  }

  async getBatch(
    ids: readonly string[],
    options?: GetOptions,
  ): Promise<ReadonlyMap<string, Session<Metadata>>> {
    options?.signal?.throwIfAborted();
    return getEach(ids, (id) => this.get(id, options));
  }

  async setBatch(
    entries: readonly BatchEntry<MetadataInput>[],
    options?: ReadOptions,
  ): Promise<readonly BatchResult<Metadata>[]> {
    options?.signal?.throwIfAborted();
    return setEach(entries, ({ id, data, ifVersion }) => this.set(id, data, { ifVersion }));
  }

  async deleteBatch(ids: readonly string[], options?: ReadOptions): Promise<number> {
    options?.signal?.throwIfAborted();
    return deleteEach(ids, (id) => this.delete(id));
  }

  async deleteUser(
    userId: string,
    options: ReadOptions & { readonly except?: string | undefined } = {},
  ): Promise<number> {
    options.signal?.throwIfAborted();
    return this.#removals.deleteUser(userId, options);
  }

  async deleteAll(options?: ReadOptions): Promise<number> {
    return despiteFailures(async (failures) => {
      let count = 0;
      for await (const { ids } of this.#listing.ids()) {
        options?.signal?.throwIfAborted();
        try {
          count += await this.deleteBatch(ids);
        } catch (error) {
          // What fails in one page keeps none of the next.
          failures.push(error);
        }
      }
      return count;
    }, options);
  }

  async listActive(options: ListOptions = {}): Promise<SessionPage<Metadata>> {
    return this.#listing.page(options);
  }

  async countActive(options?: ReadOptions): Promise<number> {
    options?.signal?.throwIfAborted();
    return this.#vitals.countActive(options?.signal);
  }

  async cleanupExpired(options?: ReadOptions): Promise<number> {
    return this.#removals.removeExpired(options?.signal);
  }

  async messages(id: string, options: HistoryOptions = {}): Promise<readonly Message[]> {
    return this.#history.page(id, options);
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
    return this.#live.subscribe(id, options);
  }

  readMetadata(stored: JsonObject): Metadata {
    return this.#core.options.readMetadata(stored);
  }

  begin(id: string, options: BeginOptions): Promise<TurnGrant<Metadata> | TurnReplay<Metadata>> {
    return this.#core.turnFigures.begin(() => this.#begins.begin(id, options));
  }

  renew(lease: Lease, leaseMs: number): Promise<Lease> {
    return this.#turns.renew(lease, leaseMs);
  }

  emit(lease: Lease, output: readonly PreparedOutput[], nonce: string): Promise<void> {
    return this.#turns.emit(lease, output, nonce);
  }

  commit(lease: Lease, changes: TurnChanges, end: TurnEnd): Promise<CommitResult<Metadata>> {
    return this.#core.turnFigures.commit(() => this.#turns.commit(lease, changes, end));
  }

  release(lease: Lease, output?: readonly PreparedOutput[]): Promise<boolean> {
    return this.#turns.release(lease, output);
  }

  async hit(key: string, periodMs: number): Promise<RateWindow> {
    return this.#rates.hit(key, whole(periodMs, 'periodMs', maxDurationMs));
  }

  async getStats(options?: ReadOptions): Promise<StoreStats> {
    options?.signal?.throwIfAborted();
    return this.#vitals.stats(options?.signal);
  }

  async healthCheck(options?: ReadOptions): Promise<StoreHealth> {
    options?.signal?.throwIfAborted();
    return this.#vitals.health();
  }

  on<Name extends StoreEventName>(name: Name, listener: StoreEventListener<Name>): () => void {
    return this.#core.events.on(name, listener);
  }

  async close(): Promise<void> {
    this.#sweeper.stop();
    this.#stopForgetting?.();
    const error: HoldfastError = new StoreUnavailableError('The session store was closed.');
    this.#leases.handovers.close();
    this.#begins.close(error);
    this.#live.close(error);
    this.#core.known.close();
    await this.#core.link.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
