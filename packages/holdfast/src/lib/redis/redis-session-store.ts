import { jsonCodec } from '../codec/codec.ts';
import {
  type HoldfastError,
  OutcomeUnknownError,
  StoreUnavailableError,
  ValidationError,
} from '../errors/errors.ts';
import type { JsonObject } from '../json/json-value.ts';
import { assertId, randomId } from '../model/ids.ts';
import { type Message, type NewMessage, prepareMessage } from '../model/message.ts';
import {
  noCredentials,
  parseCredentials,
  type Session,
  type SessionCredentials,
  type SessionInit,
  type SessionPatch,
  type SessionState,
} from '../model/session.ts';
import { applyPatch, assertIncrement, parseInit, parsePatch } from '../model/state.ts';
import type { PreparedOutput, TurnEvent } from '../model/turn-event.ts';
import { onAbort } from '../store/on-abort.ts';
import type {
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
import { maxDurationMs, resolveStoreOptions, whole } from '../store/store-options.ts';
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
import { connectNodeRedis } from './connection/client/node-redis.ts';
import { RedisLink } from './connection/redis-link.ts';
import { int } from './connection/reply.ts';
import { checkServer } from './connection/server-check.ts';
import { RedisCore } from './core/redis-core.ts';
import { Keys } from './layout/keys.ts';
import { openNamespace } from './layout/namespace.ts';
import { Rates } from './rates.ts';
import { HistoryReader } from './reads/history.ts';
import { Listing } from './reads/listing.ts';
import { LiveReader } from './reads/live-reader.ts';
import { type RedisSessionStoreOptions, resolveRedisOptions } from './redis-options.ts';
import { scripts } from './scripts/scripts.ts';
import { Creation } from './sessions/creation.ts';
import { Removals } from './sessions/removals.ts';
import { Sweeper } from './sessions/sweeper.ts';
import { UserIndex } from './sessions/user-index.ts';
import { Begins } from './turns/begins.ts';
import { Leases } from './turns/leases.ts';
import { Turns } from './turns/turns.ts';
import { Upkeep } from './upkeep/upkeep.ts';
import { Vitals } from './upkeep/vitals.ts';
import type { WriteOrder } from './writes/write-order.ts';
import { Writes } from './writes/writes.ts';

const touchKeys = 9;

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
  readonly #writes: Writes<Metadata>;
  readonly #removals: Removals<Metadata>;
  readonly #leases: Leases<Metadata>;
  readonly #begins: Begins<Metadata>;
  readonly #turns: Turns<Metadata>;
  readonly #history: HistoryReader<Metadata>;
  readonly #live: LiveReader<Metadata>;
  readonly #listing: Listing<Metadata>;
  readonly #users: UserIndex<Metadata>;
  readonly #vitals: Vitals<Metadata>;
  readonly #rates: Rates<Metadata>;
  readonly #sweeper: Sweeper<Metadata>;

  private constructor(core: RedisCore<Metadata>, outputIntervalMs: number) {
    this.locking = core.options.locking;
    this.outputIntervalMs = outputIntervalMs;
    this.#core = core;
    this.#users = new UserIndex(core);
    this.#removals = new Removals(core, this.#users);
    this.#creation = new Creation(core, this.#users, this.#removals);
    this.#writes = new Writes(core, this.#users);
    this.#leases = new Leases(core);
    this.#begins = new Begins(core, this.#leases);
    this.#turns = new Turns(core, this.#writes, this.#leases);
    this.#history = new HistoryReader(core);
    this.#live = new LiveReader(core);
    this.#listing = new Listing(core, this.#users);
    this.#vitals = new Vitals(core, this.#removals);
    this.#rates = new Rates(core);
    this.#sweeper = new Sweeper(core, this.#removals);
    this.upkeep = new Upkeep({
      ...{ core, users: this.#users, listing: this.#listing },
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
    const resolved = resolveStoreOptions<Metadata>(options);
    const { address, topology, keyPrefix, outputIntervalMs, l1, ...own } = resolveRedisOptions(
      options as RedisSessionStoreOptions<never, never>,
    );
    const link = await RedisLink.open({
      address,
      topology,
      connect: options.connect ?? connectNodeRedis,
      timeoutMs: own.timeoutMs,
      connectTimeoutMs: own.connectTimeoutMs,
      retries: own.retries,
      scripts: Object.values(scripts),
      logger: resolved.logger,
      signal: options.signal,
    });
    const forget = onAbort(options.signal, () => void link.close());
    try {
      const kind = topology?.kind ?? 'single';
      await Promise.all(link.servers().map((server) => checkServer(server, resolved.logger, kind)));
      const buckets = await openNamespace(link, keyPrefix, own.buckets);
      const keys = new Keys(keyPrefix, buckets, link.isSharded);
      const core = new RedisCore<Metadata>(resolved, {
        link,
        keys,
        codec: options.codec ?? jsonCodec,
        l1,
        durability: own.durability,
      });
      const store = new RedisSessionStore<Metadata, MetadataInput>(core, outputIntervalMs);
      await store.#listen();
      options.signal?.throwIfAborted();
      return store;
    } catch (error) {
      await link.close();
      throw options.signal?.aborted ? options.signal.reason : error;
    } finally {
      forget();
    }
  }

  async #listen(): Promise<void> {
    const { link } = this.#core;
    link.onGap(() => {
      this.#leases.inbox.askAgain();
      this.#live.lookAgain();
    });
    // Of a cluster there is an inbox for each bucket that has turns: `Begins` opens them.
    if (!link.isSharded) await this.#leases.openInbox('');
    this.#sweeper.start();
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

  async get(id: string, options?: GetOptions): Promise<Session<Metadata> | null> {
    options?.signal?.throwIfAborted();
    if (!options?.fresh) {
      const kept = this.#core.known.l1?.get(id);
      if (kept !== undefined) return kept;
    }
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
    const { state, counters } = parseInit(id, data);
    this.#core.options.readMetadata(state.metadata);
    return this.#session(id, {
      operation: 'set',
      ...named(options),
      ifVersion,
      state: () => state,
      counters: data.counters === undefined ? undefined : counters,
    });
  }

  async update(
    id: string,
    patch: SessionPatch<MetadataInput>,
    options: UpdateOptions = {},
  ): Promise<Session<Metadata>> {
    options.signal?.throwIfAborted();
    assertAtomic(options);
    const parsed = parsePatch(patch);
    return this.#session(id, {
      operation: 'update',
      ...named(options),
      ifVersion: options.ifVersion,
      state: (state: SessionState) => applyPatch(state, parsed),
    });
  }

  async incrementCounter(
    id: string,
    name: string,
    by = 1,
    options: WriteOptions = {},
  ): Promise<number> {
    options.signal?.throwIfAborted();
    assertIncrement(name, by);
    const written = await this.#writes.write(id, {
      operation: 'increment',
      ...named(options),
      increments: new Map([[name, by]]),
    });
    return written.after.counters.get(name) ?? 0;
  }

  async touch(id: string, options?: ReadOptions): Promise<boolean> {
    options?.signal?.throwIfAborted();
    assertId(id, 'A session id');
    const { options: own } = this.#core;
    const args = [...this.#core.calls.common(id), String(own.idleTimeoutMs)];
    const { reply } = await this.#core.calls.run(scripts.touch, id, touchKeys, args);
    this.#core.known.l1?.drop(id);
    return int(reply[0]) === 1;
  }

  async setCredentials(
    id: string,
    credentials: SessionCredentials,
    options: WriteOptions & { readonly ifTokenHash?: string | null | undefined } = {},
  ): Promise<Session<Metadata>> {
    options.signal?.throwIfAborted();
    return this.#session(id, {
      operation: 'token',
      ...named(options),
      credentials: parseCredentials(credentials),
      ifTokenHash: options.ifTokenHash,
    });
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
    const unique = [...new Set(ids)];
    const sessions = await Promise.all(unique.map((id) => this.get(id, options)));
    return new Map(
      sessions.flatMap((session, at) =>
        session === null ? [] : [[unique[at] ?? '', session] as const],
      ),
    );
  }

  async setBatch(
    entries: readonly BatchEntry<MetadataInput>[],
    options?: ReadOptions,
  ): Promise<readonly BatchResult<Metadata>[]> {
    return Promise.all(
      entries.map(async ({ id, data, ifVersion }): Promise<BatchResult<Metadata>> => {
        try {
          return { id, session: await this.set(id, data, { ...options, ifVersion }) };
        } catch (error) {
          options?.signal?.throwIfAborted();
          if (isOutage(error)) throw error;
          return { id, error: error as Error };
        }
      }),
    );
  }

  async deleteBatch(ids: readonly string[], options?: ReadOptions): Promise<number> {
    options?.signal?.throwIfAborted();
    const unique = [...new Set(ids)];
    const deleted = await Promise.all(unique.map((id) => this.delete(id)));
    return deleted.filter(Boolean).length;
  }

  async deleteUser(
    userId: string,
    options: ReadOptions & { readonly except?: string | undefined } = {},
  ): Promise<number> {
    options.signal?.throwIfAborted();
    return this.#removals.deleteUser(userId, options);
  }

  async deleteAll(options?: ReadOptions): Promise<number> {
    let count = 0;
    for await (const { ids } of this.#listing.ids()) {
      count += await this.deleteBatch(ids, options);
    }
    return count;
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
    options: WriteOptions = {},
  ): Promise<readonly Message[]> {
    options.signal?.throwIfAborted();
    const written = await this.#writes.write(id, {
      operation: 'append',
      ...named(options),
      messages: messages.map(prepareMessage),
    });
    return written.messages;
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

  /** The session after a write of its state or credentials. */
  async #session(id: string, order: WriteOrder): Promise<Session<Metadata>> {
    const { after } = await this.#writes.write(id, order);
    const { snapshot } = after;
    if (snapshot === null) throw new TypeError('A write of the state left none.');
    return this.#core.stored.view(id, { ...after, snapshot });
  }
}

/** Whether the whole batch fails, and not one of its entries. */
function isOutage(error: unknown): boolean {
  return error instanceof StoreUnavailableError || error instanceof OutcomeUnknownError;
}

/** A write's nonce, and whether its caller knows it. */
function named({ nonce }: WriteOptions): { nonce: string; mayRepeat: boolean } {
  return { nonce: nonce ?? randomId(), mayRepeat: nonce !== undefined };
}

/** `atomic: false` was an option of an older interface: an update is always atomic. */
function assertAtomic(options: object): void {
  if ('atomic' in options && options.atomic !== true) {
    throw new ValidationError('update is always atomic; leave atomic: false out.');
  }
}
