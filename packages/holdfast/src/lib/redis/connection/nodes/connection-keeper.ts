import { setTimeout as sleep } from 'node:timers/promises';
import type { CoarseTimer } from '../coarse-timer.ts';
import { outside } from '../outside.ts';
import type { RedisAddress } from '../redis-address.ts';
import {
  type ConnectionPurpose,
  type ConnectRedis,
  type RedisConnection,
  RedisTimeoutError,
} from '../redis-connection.ts';
import { LiveConnection } from './live-connection.ts';
import type { OutageLog } from './outage-log.ts';

export interface KeeperOptions {
  /** Where to connect to: asked for before each attempt. */
  readonly locate: (signal: AbortSignal) => Promise<RedisAddress>;
  readonly connect: ConnectRedis;
  readonly purpose: ConnectionPurpose;
  /** For one attempt to reconnect, handshake and preparation included. */
  readonly reconnectTimeoutMs: number;
  /** Ticks that a reply may take. */
  readonly patience: number;
  readonly timer: CoarseTimer;
  readonly outages: OutageLog;
  /**
   * What a new connection needs before it is used.
   * @returns the server at its end, as `identifyServer` names it; undefined where the user may not ask
   */
  readonly prepare: (connection: RedisConnection) => Promise<string | undefined>;
  /** A connection is in use, the first one included. */
  readonly onUp?: (live: LiveConnection) => void;
  /** A connection ended, or could not be made again. */
  readonly onTrouble?: (() => void) | undefined;
}

interface Waiter {
  readonly resolve: (live: LiveConnection) => void;
  readonly reject: (error: Error) => void;
  readonly cancel: () => void;
}

/** More calls than this wait for a connection only where something is wrong with the callers. */
const maxWaiting = 10_000;
const minBackoffMs = 20;
const maxBackoffMs = 500;
/** A connection that ended sooner than this counts as one that failed. */
const stableMs = 1000;

/** Keeps one connection for a purpose: makes it again, for as long as it takes, whenever it ends. */
export class ConnectionKeeper {
  /** Undefined while there is none. */
  current: LiveConnection | undefined;
  /** Why there was no connection when there last was none. */
  lastFailure: unknown;
  readonly #options: KeeperOptions;
  readonly #waiters = new Set<Waiter>();
  readonly #closing = new AbortController();
  #kept: Promise<void> | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Makes the first connection and keeps it from then on. Rejects with the client's own error. */
  async open(timeoutMs: number): Promise<void> {
    const live = await outside(() => this.#establish(timeoutMs));
    this.#use(live);
    this.#kept = outside(() => this.#keep(live));
  }

  /** Begins to connect, unless it has, and keeps the connection from then on. */
  start(): void {
    this.#kept ??= outside(() => this.#keep(undefined));
  }

  /**
   * The connection, as soon as there is one.
   *
   * @throws Error when `at` (by `performance.now()`) passes, too many wait already, or this closes
   */
  ready(at: number): Promise<LiveConnection> {
    if (this.#closing.signal.aborted) return Promise.reject(this.#closing.signal.reason);
    if (this.current !== undefined) return Promise.resolve(this.current);
    if (this.#waiters.size >= maxWaiting) {
      return Promise.reject(new Error(`${maxWaiting} calls wait for a connection already.`));
    }
    return new Promise((resolve, reject) => {
      const cancel = this.#options.timer.add(at, () => {
        this.#waiters.delete(waiter);
        reject(new RedisTimeoutError('There was no connection in time.'));
      });
      const waiter = { resolve, reject, cancel };
      this.#waiters.add(waiter);
    });
  }

  /** Ends the connection and stops making any. */
  async close(why: Error): Promise<void> {
    this.#closing.abort(why);
    const { current } = this;
    this.current = undefined;
    current?.connection.destroy(why);
    for (const { reject, cancel } of this.#waiters) {
      cancel();
      reject(why);
    }
    this.#waiters.clear();
    await this.#kept;
  }

  async #keep(first: LiveConnection | undefined): Promise<void> {
    let live = first;
    for (let failures = 0; !this.#closing.signal.aborted; ) {
      if (live === undefined) {
        await this.#pause(failures);
        if (this.#closing.signal.aborted) return;
        live = await this.#tryAgain();
        if (live === undefined) {
          failures += 1;
          continue;
        }
      }
      const since = performance.now();
      const why = await live.connection.closed;
      live = undefined;
      if (this.#closing.signal.aborted) return;
      this.current = undefined;
      this.lastFailure = why;
      this.#options.outages.lost(this.#options.purpose, why);
      this.#options.onTrouble?.();
      failures = performance.now() - since < stableMs ? failures + 1 : 0;
    }
  }

  async #tryAgain(): Promise<LiveConnection | undefined> {
    try {
      const live = await this.#establish(this.#options.reconnectTimeoutMs);
      this.#use(live);
      return live;
    } catch (error) {
      if (!this.#closing.signal.aborted) {
        this.lastFailure = error;
        this.#options.outages.failed(this.#options.purpose, error);
        this.#options.onTrouble?.();
      }
      return undefined;
    }
  }

  async #establish(timeoutMs: number): Promise<LiveConnection> {
    const { locate, connect, purpose, prepare, patience } = this.#options;
    const attempt = new AbortController();
    const giveUp = () => attempt.abort(this.#closing.signal.reason);
    this.#closing.signal.addEventListener('abort', giveUp, { once: true });
    const timer = setTimeout(
      () => attempt.abort(new RedisTimeoutError('The server did not get ready in time.')),
      timeoutMs,
    );
    try {
      attempt.signal.throwIfAborted();
      const address = await locate(attempt.signal);
      const connection = await connect(address, purpose, attempt.signal);
      const abandon = () => connection.destroy(attempt.signal.reason);
      attempt.signal.addEventListener('abort', abandon, { once: true });
      try {
        attempt.signal.throwIfAborted();
        const server = await prepare(connection);
        attempt.signal.throwIfAborted();
        return new LiveConnection(connection, { address, server }, patience);
      } catch (error) {
        connection.destroy();
        throw attempt.signal.aborted ? attempt.signal.reason : connection.explain(error);
      } finally {
        attempt.signal.removeEventListener('abort', abandon);
      }
    } finally {
      clearTimeout(timer);
      this.#closing.signal.removeEventListener('abort', giveUp);
    }
  }

  #use(live: LiveConnection): void {
    this.current = live;
    this.#options.outages.up(this.#options.purpose);
    for (const { resolve, cancel } of this.#waiters) {
      cancel();
      resolve(live);
    }
    this.#waiters.clear();
    this.#options.onUp?.(live);
  }

  /** None before the first attempt after a connection that was stable. */
  async #pause(failures: number): Promise<void> {
    if (failures === 0) return;
    const full = Math.min(minBackoffMs * 2 ** (failures - 1), maxBackoffMs);
    const ms = full * (0.5 + Math.random() / 2);
    await sleep(ms, undefined, { signal: this.#closing.signal }).catch(() => {});
  }
}
