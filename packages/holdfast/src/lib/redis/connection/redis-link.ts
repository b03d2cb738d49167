import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../store/emitter.ts';
import { CoarseTimer } from './coarse-timer.ts';
import { ConnectionKeeper } from './connection-keeper.ts';
import type { LiveConnection } from './live-connection.ts';
import { OutageLog } from './outage-log.ts';
import type { RedisAddress } from './redis-address.ts';
import {
  type ConnectRedis,
  type RedisArgument,
  type RedisReply,
  RedisTimeoutError,
} from './redis-connection.ts';
import { describeFailure, isPassing, startFailure } from './redis-failure.ts';
import { type CallReport, closedError, Repeater } from './repeater.ts';
import type { Script } from './script.ts';
import { ScriptLoader } from './script-loader.ts';
import { identifyServer } from './server-identity.ts';
import { Subscriptions } from './subscriptions.ts';

export type { CallReport } from './repeater.ts';
export type { Script } from './script.ts';

export interface RedisLinkOptions {
  readonly address: RedisAddress;
  readonly connect: ConnectRedis;
  /** For all attempts of one call together, in milliseconds (`REDIS_SOCKET_TIMEOUT`). */
  readonly timeoutMs: number;
  /** For the first connection, in milliseconds (`REDIS_SOCKET_CONNECT_TIMEOUT`). */
  readonly connectTimeoutMs: number;
  /** Attempts after the first whose reply was lost (`SESSION_LOCK_RETRY_ATTEMPTS`). */
  readonly retries: number;
  /** All that `call` gets to see. */
  readonly scripts: readonly Script[];
  readonly logger: Logger;
}

/** An attempt gets at least this long, if the whole call does. */
const minAttemptMs = 250;
const maxTickMs = 250;
/** A server that is there needs a fraction of this; one that stopped should not hold up a retry. */
const maxReconnectMs = 1500;
const maxHeartbeatMs = 3000;
const loadingPauseMs = 100;

/**
 * The way to one Redis: a connection that all calls share and one for subscriptions, both made again
 * whenever they end or fall silent. Every call ends within its time: with a reply, or with an error
 * that says whether it may have taken effect. All of it runs on real time.
 */
export class RedisLink {
  readonly address: RedisAddress;
  /** For all attempts of one call together. */
  readonly timeoutMs: number;
  readonly #timer: CoarseTimer;
  readonly #commands: ConnectionKeeper;
  readonly #subscriber: ConnectionKeeper;
  readonly #subscriptions: Subscriptions;
  readonly #repeater: Repeater;
  #server = '';
  readonly #serverListeners = new Set<() => void>();
  #isClosed = false;

  private constructor(options: RedisLinkOptions) {
    const { address, connect, timeoutMs, connectTimeoutMs, retries, logger } = options;
    this.address = address;
    this.timeoutMs = timeoutMs;
    const tickMs = Math.min(Math.max(timeoutMs / 20, 1), maxTickMs);
    const attemptMs = Math.min(Math.max(timeoutMs / (retries + 1), minAttemptMs), timeoutMs);
    const timer = new CoarseTimer(tickMs, () => this.#tick());
    const scripts = new ScriptLoader(options.scripts);
    const shared = {
      ...{ address, connect, timer },
      reconnectTimeoutMs: Math.min(connectTimeoutMs, maxReconnectMs),
      patience: Math.ceil(attemptMs / tickMs),
      outages: new OutageLog(address, logger),
    };
    this.#timer = timer;
    this.#commands = new ConnectionKeeper({
      ...shared,
      purpose: 'commands',
      prepare: async (connection) => {
        const [server] = await Promise.all([identifyServer(connection), scripts.load(connection)]);
        // Where nobody may ask, each connection counts as one to another server.
        this.#setServer(server ?? randomUUID());
      },
    });
    const heartbeatMs = Math.min(timeoutMs, maxHeartbeatMs);
    const subscriptions = new Subscriptions({ address, timer, heartbeatMs, timeoutMs, logger });
    this.#subscriptions = subscriptions;
    this.#subscriber = new ConnectionKeeper({
      ...shared,
      purpose: 'subscriptions',
      prepare: (connection) => subscriptions.prepare(connection),
      onUp: () => subscriptions.up(),
    });
    subscriptions.attach(this.#subscriber);
    this.#repeater = new Repeater({ address, timer, scripts, retries, keeper: this.#commands });
  }

  /** Names the server of the connection, as `identifyServer` does. */
  get server(): string {
    return this.#server;
  }

  /** Asks again, on the connection that there is, which server it is. @returns whether it is another */
  async identify(): Promise<boolean> {
    const before = this.#server;
    const asked = await this.#commands.current?.track(identifyServer).catch(() => null);
    // A new connection may have found out meanwhile.
    if (this.#server === before && asked) this.#setServer(asked);
    return this.#server !== before;
  }

  /**
   * Connects and loads the scripts. A server that is still loading its data is waited for, anything
   * else fails at once; none of it takes longer than `connectTimeoutMs`.
   *
   * @throws ConfigError when only other settings help
   * @throws StoreUnavailableError for any other failure
   */
  static async open(options: RedisLinkOptions): Promise<RedisLink> {
    const { address, connectTimeoutMs, logger } = options;
    const deadline = performance.now() + connectTimeoutMs;
    const link = new RedisLink(options);
    let passing: unknown;
    for (;;) {
      try {
        await link.#commands.open(deadline - performance.now());
        return link;
      } catch (error) {
        if (isPassing(error)) {
          passing = error;
          if (performance.now() + loadingPauseMs < deadline) {
            await sleep(loadingPauseMs);
            continue;
          }
        }
        await link.close();
        // The last attempt may have had too little time to hear again what it is that takes so long.
        const err = error instanceof RedisTimeoutError ? (passing ?? error) : error;
        const details = { address: address.display, err };
        logger.error(details, `Redis ping failed: ${describeFailure(err)}`);
        throw startFailure(address, err);
      }
    }
  }

  /**
   * Runs a script, and again after a lost reply while attempts and time are left: it must be
   * idempotent, a write by its nonce.
   *
   * @param nonce of a write; without it this is a read
   * @param report filled in by the time of the reply
   * @throws StoreUnavailableError for an error reply, or when surely nothing was written
   * @throws OutcomeUnknownError when a write may have taken effect
   */
  call(
    script: Script,
    keys: readonly string[],
    args: readonly RedisArgument[],
    nonce?: string,
    report?: CallReport,
  ): Promise<RedisReply> {
    const words = ['EVALSHA', script.sha1, String(keys.length), ...keys, ...args];
    return this.#run(words, script.name, nonce, report);
  }

  /** The same for one command: a read, or a write that may be repeated. */
  command(args: readonly RedisArgument[], nonce?: string): Promise<RedisReply> {
    return this.#run(args, String(args[0]), nonce, undefined);
  }

  /**
   * Resolves when the server has confirmed the subscription; from then on it is there again after
   * every gap. Listeners to one channel share one subscription.
   *
   * @returns what ends it
   * @throws StoreUnavailableError
   */
  async subscribe(channel: string, listener: (message: Buffer) => void): Promise<() => void> {
    if (this.#isClosed) throw closedError();
    try {
      return await this.#subscriptions.subscribe(channel, listener);
    } catch (error) {
      throw this.#isClosed ? closedError() : error;
    }
  }

  /** Tells that the subscriptions were interrupted and are there again: messages may be missing. */
  onGap(listener: () => void): () => void {
    return this.#subscriptions.onGap(listener);
  }

  /** Tells that the connection leads to another server than before. */
  onServer(listener: () => void): void {
    this.#serverListeners.add(listener);
  }

  #setServer(server: string): void {
    const isOther = this.#server !== '' && this.#server !== server;
    this.#server = server;
    if (isOther) for (const tell of this.#serverListeners) tell();
  }

  /** Ends everything; calls that are not done reject. May be called again. */
  async close(): Promise<void> {
    const why = closedError();
    this.#isClosed = true;
    this.#repeater.close();
    this.#subscriptions.close();
    await Promise.all([this.#commands.close(why), this.#subscriber.close(why)]);
    this.#timer.stop();
  }

  /** The usual case makes one promise, besides the client's; everything else is the repeater's. */
  async #run(
    args: readonly RedisArgument[],
    about: string,
    nonce: string | undefined,
    report: CallReport | undefined,
  ): Promise<RedisReply> {
    const deadline = report?.deadline ?? performance.now() + this.timeoutMs;
    const live = this.#commands.current;
    if (live === undefined) return this.#repeater.finish({ args, about, nonce, deadline, report });
    if (!this.#timer.isRunning) this.#timer.start();
    live.begin();
    try {
      const reply = await live.connection.send(args);
      live.end();
      return reply;
    } catch (error) {
      live.end();
      const failure = live.connection.explain(error);
      return this.#repeater.finish({ args, about, nonce, deadline, report }, failure, live);
    }
  }

  #tick(): boolean {
    const isDue = (live: LiveConnection | undefined) => live?.tick() ?? false;
    const commands = isDue(this.#commands.current);
    return isDue(this.#subscriber.current) || commands;
  }
}
