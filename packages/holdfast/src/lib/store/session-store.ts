import type { JsonObject } from '../json/json-value.ts';
import type { Message, NewMessage } from '../model/message.ts';
import type {
  Session,
  SessionCredentials,
  SessionInit,
  SessionPatch,
  SessionStatus,
} from '../model/session.ts';
import type { TurnEvent } from '../model/turn-event.ts';
import type { StoreEventListener, StoreEventName } from './store-events.ts';
import type { StoreHealth, StoreStats } from './store-stats.ts';
import type { TurnStore } from './turn-store.ts';
import type { UnreadableSession } from './unreadable.ts';

export interface ReadOptions {
  /** Rejects with the signal's reason where the call waits; `subscribe` just ends. */
  readonly signal?: AbortSignal | undefined;
}

export interface CredentialsOptions extends ReadOptions {
  /**
   * Hash of a token that must be the session's. With another one it is as if there were no session, and
   * the store does the same work: whoever tries tokens learns of no session that it is there.
   */
  readonly tokenHash?: string | undefined;
}

export interface GetOptions extends ReadOptions {
  /**
   * As it is at this instant. A store may otherwise return a session as it was a moment ago: for Redis
   * see `SESSION_L1_MAX_STALENESS_MS`.
   */
  readonly fresh?: boolean | undefined;
}

export interface WriteOptions extends ReadOptions {
  /** Names this write: repeated under the same nonce it takes effect once. Random unless given. */
  readonly nonce?: string | undefined;
}

export interface UpdateOptions extends WriteOptions {
  /** Write only if this is the session's version; otherwise `VersionConflictError`. */
  readonly ifVersion?: number | undefined;
}

export interface AppendOptions extends WriteOptions {
  /** Write only if the session is not closed; otherwise `SessionGoneError`. */
  readonly ifOpen?: boolean | undefined;
}

export interface CreateOptions extends WriteOptions {
  readonly credentials?: SessionCredentials | undefined;
}

export interface HistoryOptions extends ReadOptions {
  /** The most messages to return; all that are kept unless given. */
  readonly limit?: number | undefined;
  /** Pages back: the newest messages with a smaller `seq`. */
  readonly before?: number | undefined;
  /** Pages on: the oldest messages with a greater `seq`. */
  readonly after?: number | undefined;
  /** Refuse (`SessionGoneError`) if the session is not this incarnation any more. */
  readonly incarnation?: string | undefined;
}

export interface ListOptions extends ReadOptions {
  readonly userId?: string | undefined;
  readonly status?: SessionStatus | undefined;
  /** The `cursor` of the page before. */
  readonly cursor?: string | undefined;
  /** 1 to 200; 50 unless given. */
  readonly limit?: number | undefined;
}

export interface SessionPage<Metadata extends object> {
  readonly sessions: readonly Session<Metadata>[];
  /**
   * Sessions that belong on this page, as far as the index tells, and cannot be read; each with the reason. They
   * do not make the page fail, and `limit` does not count them. Always there, and empty where all can be read.
   */
  readonly unreadable: readonly UnreadableSession[];
  /** Where the next page begins; `null` on the last page. */
  readonly cursor: string | null;
}

export interface SubscribeOptions extends ReadOptions {
  /** The `seq` of the last event seen: replay starts behind it. Only what comes new, unless given. */
  readonly after?: number | undefined;
  /** Refuse (`SessionGoneError`) if the session is not this incarnation any more. */
  readonly incarnation?: string | undefined;
  /** Called once the reader has its place: it misses nothing that is emitted from then on. */
  readonly onReady?: (() => void) | undefined;
}

export interface BatchEntry<MetadataInput extends object> {
  readonly id: string;
  readonly data: SessionInit<MetadataInput>;
  readonly ifVersion?: number | undefined;
}

/**
 * Each entry of a batch succeeds or fails by itself. One that failed with `OutcomeUnknownError` is repeated by `set`,
 * under the nonce of its error.
 */
export type BatchResult<Metadata extends object> =
  | { readonly id: string; readonly session: Session<Metadata> }
  | { readonly id: string; readonly error: Error };

/** How often something happened in its present window. */
export interface RateWindow {
  readonly count: number;
  /** Milliseconds to the window's end. */
  readonly resetMs: number;
}

export interface StoredSession<Metadata extends object> {
  readonly session: Session<Metadata>;
  readonly credentials: SessionCredentials;
}

/**
 * Where sessions live. Two drivers keep this contract: `InMemorySessionStore` and, on Redis,
 * `RedisSessionStore`; `sessionStoreSuite` in `holdfast/testing` checks it for any other.
 *
 * `null` and `false` mean that the session never existed, has expired or was deleted. They never
 * mean that the store failed: that throws. Every session handed out is frozen.
 *
 * Writes count as activity (they move `lastActivity`); reads do not. All methods may throw
 * `StoreUnavailableError`, and `ValidationError` for a malformed id.
 */
export interface SessionStore<
  Metadata extends object = JsonObject,
  MetadataInput extends object = Metadata,
> extends TurnStore<Metadata> {
  readonly type: 'in_memory' | 'redis';

  /**
   * Creates a session.
   * @throws VersionConflictError when the id is taken; SessionLimitError, StoreFullError.
   */
  create(
    id: string,
    init?: SessionInit<MetadataInput>,
    options?: CreateOptions,
  ): Promise<Session<Metadata>>;
  get(id: string, options?: GetOptions): Promise<Session<Metadata> | null>;
  /** As `get`, with what the session knows of its client and token, never from a cache. */
  getWithCredentials(
    id: string,
    options?: CredentialsOptions,
  ): Promise<StoredSession<Metadata> | null>;
  exists(id: string, options?: ReadOptions): Promise<boolean>;

  /**
   * Creates the session, or with `ifVersion` replaces it: its state, and its counters where given.
   * @throws VersionConflictError when the id is taken and `ifVersion` is not its version.
   */
  set(
    id: string,
    data: SessionInit<MetadataInput>,
    options?: UpdateOptions,
  ): Promise<Session<Metadata>>;
  /**
   * Merges a patch (RFC 7396), atomically: concurrent updates lose nothing.
   * @throws SessionNotFoundError, VersionConflictError (with `ifVersion`), ValidationError.
   */
  update(
    id: string,
    patch: SessionPatch<MetadataInput>,
    options?: UpdateOptions,
  ): Promise<Session<Metadata>>;
  /** Adds to a counter, which starts at 0, and returns its new value. @throws SessionNotFoundError */
  incrementCounter(id: string, name: string, by?: number, options?: WriteOptions): Promise<number>;
  /** Starts the idle timeout anew. No new version. `false` when there is no such session. */
  touch(id: string, options?: ReadOptions): Promise<boolean>;
  /** Replaces token and binding. With `ifTokenHash`, only if that is still the token. */
  setCredentials(
    id: string,
    credentials: SessionCredentials,
    options?: WriteOptions & { readonly ifTokenHash?: string | null | undefined },
  ): Promise<Session<Metadata>>;
  /**
   * Ends the session at once, with a turn in it too. Whether there was one: of a call that is made again after an
   * `OutcomeUnknownError`, not whether the first one ended it.
   */
  delete(id: string, options?: ReadOptions): Promise<boolean>;

  /** The sessions there are, by id. */
  getBatch(
    ids: readonly string[],
    options?: GetOptions,
  ): Promise<ReadonlyMap<string, Session<Metadata>>>;
  /**
   * As `set`, of each entry; the results are in the order of the entries. A signal that aborts when they are being
   * written stops none of them, and keeps no result back.
   * @throws StoreUnavailableError when every entry failed for want of the store; otherwise failures are in the results
   */
  setBatch(
    entries: readonly BatchEntry<MetadataInput>[],
    options?: ReadOptions,
  ): Promise<readonly BatchResult<Metadata>[]>;
  /**
   * How many of them there were. Here and in what ends several below, one that cannot be ended keeps none of the
   * others, and then the call throws: `OutcomeUnknownError` when any of them may have ended. To repeat it is
   * safe, and counts those that are left.
   */
  deleteBatch(ids: readonly string[], options?: ReadOptions): Promise<number>;
  /** Ends every session of the user, one that is being created meanwhile included. How many. */
  deleteUser(
    userId: string,
    options?: ReadOptions & { readonly except?: string | undefined },
  ): Promise<number>;
  /** Ends every session of the store. How many. */
  deleteAll(options?: ReadOptions): Promise<number>;

  /** Sessions that exist now, in a stable order, a page at a time, and those that cannot be read besides. */
  listActive(options?: ListOptions): Promise<SessionPage<Metadata>>;
  countActive(options?: ReadOptions): Promise<number>;
  /** Removes what has expired, and says how many sessions that were. Costs what it removes. */
  cleanupExpired(options?: ReadOptions): Promise<number>;

  /** A page of the history, oldest first. @throws SessionNotFoundError */
  messages(id: string, options?: HistoryOptions): Promise<readonly Message[]>;
  /**
   * Appends outside a turn: neither waits for a lease nor fails a turn.
   * @throws SessionNotFoundError, SessionGoneError (with `ifOpen`).
   */
  appendMessages(
    id: string,
    messages: readonly NewMessage[],
    options?: AppendOptions,
  ): Promise<readonly Message[]>;

  /**
   * The session's live output, from any instance. Ends when the session does, or the store is closed;
   * `return` ends it at once, also while it waits for the next event.
   * @throws SessionNotFoundError on the first read.
   */
  subscribe(id: string, options?: SubscribeOptions): AsyncIterableIterator<TurnEvent>;

  /**
   * Counts one more hit of `key` (a client's address, say) in a window that begins with the first one
   * and lasts `periodMs`, 1 to 2^31 - 1: over all processes that share the store. Of the key a hash is kept.
   */
  hit(key: string, periodMs: number): Promise<RateWindow>;
  getStats(options?: ReadOptions): Promise<StoreStats>;
  /** Tries a real write, read and delete. Never throws for a store that is down: it says so. */
  healthCheck(options?: ReadOptions): Promise<StoreHealth>;
  /** Calls `listener` for each event of this store; returns the way to stop. */
  on<Name extends StoreEventName>(name: Name, listener: StoreEventListener<Name>): () => void;
  /** Ends waits and subscriptions. What is called afterwards throws `StoreUnavailableError`. */
  close(): Promise<void>;
}
