import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '../../../errors/errors.ts';
import type { Logger } from '../../../store/emitter.ts';
import { onAbort } from '../../../store/on-abort.ts';
import { CoarseTimer } from '../coarse-timer.ts';
import type { NodeSettings } from '../nodes/redis-node.ts';
import { ScriptLoader } from '../nodes/script-loader.ts';
import type { RedisAddress } from '../redis-address.ts';
import {
  type ConnectRedis,
  type RedisArgument,
  type RedisReply,
  RedisReplyError,
  RedisTimeoutError,
} from '../redis-connection.ts';
import { describeFailure, isPassing, runningFailure, startFailure } from '../redis-failure.ts';
import { Cluster } from '../routes/cluster.ts';
import { OneServer } from '../routes/one-server.ts';
import type { Routes } from '../routes/routes.ts';
import { SentinelServer } from '../routes/sentinels.ts';
import type { Topology } from '../routes/topology.ts';
import type { Script } from '../script.ts';
import { type CallReport, closedError, Repeater } from './repeater.ts';

export interface RedisLinkOptions {
  /** Of the one server; of others, how to get into each of them. */
  readonly address: RedisAddress;
  /** Where the servers are found. Default: one, at `address`. */
  readonly topology?: Topology | undefined;
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
  /** Gives up connecting. */
  readonly signal?: AbortSignal | undefined;
}

/** An attempt gets at least this long, if the whole call does. */
const minAttemptMs = 250;
const maxTickMs = 250;
/** A server that is there needs a fraction of this; one that stopped should not hold up a retry. */
const maxReconnectMs = 1500;
const maxHeartbeatMs = 3000;
const loadingPauseMs = 100;
/** Before it is asked again which replicas there are. */
const rolePauseMs = 50;

/** Of these any server can say something. */
const keyless: ReadonlySet<unknown> = new Set(['TIME', 'INFO', 'CONFIG', 'HELLO']);

/**
 * The way to Redis: to each server a connection that all calls share and one for subscriptions, both
 * made again whenever they end or fall silent. Every call ends within its time: with a reply, or with
 * an error that says whether it may have taken effect. All of it runs on real time.
 */
export class RedisLink {
  readonly address: RedisAddress;
  /** For all attempts of one call together. */
  readonly timeoutMs: number;
  readonly #timer: CoarseTimer;
  readonly #routes: Routes;
  readonly #repeater: Repeater;
  readonly #gapListeners = new Set<() => void>();
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
    this.#timer = timer;
    this.#routes = this.#routesOf(options, {
      ...{ connect, timer, scripts, logger, timeoutMs },
      reconnectTimeoutMs: Math.min(connectTimeoutMs, maxReconnectMs),
      patience: Math.ceil(attemptMs / tickMs),
      heartbeatMs: Math.min(timeoutMs, maxHeartbeatMs),
      onServer: () => {
        for (const tell of this.#serverListeners) tell();
      },
    });
    this.#repeater = new Repeater({ address, timer, scripts, retries, routes: this.#routes });
  }

  #routesOf({ address, connect, topology }: RedisLinkOptions, settings: NodeSettings): Routes {
    const onGap = () => {
      for (const tell of this.#gapListeners) tell();
    };
    if (topology?.kind === 'cluster') {
      return new Cluster(settings, { ...topology, address, connect }, onGap);
    }
    const one =
      topology === undefined
        ? new OneServer(settings, address)
        : new SentinelServer(settings, { ...topology, address, connect });
    for (const { subscriptions } of one.nodes) subscriptions.onGap(onGap);
    return one;
  }

  /** Whether keys and channels belong to slots: one script can only change those of one. */
  get isSharded(): boolean {
    return this.#routes.isSharded;
  }

  /** Names the server that has the key, as `identifyServer` does. */
  serverOf(key: string): string {
    return this.#routes.nodeFor(key).server;
  }

  /**
   * Asks again, on the connection that there is, which server has the key.
   * @returns whether it is another
   */
  identify(key: string): Promise<boolean> {
    return this.#routes.nodeFor(key).identify();
  }

  /**
   * Connects and loads the scripts. A server that is still loading its data is waited for, and so is
   * whatever sentinels or a cluster's nodes may be through with soon, such as a failover; anything else
   * fails at once. None of it takes longer than `connectTimeoutMs`.
   *
   * @throws ConfigError when only other settings help
   * @throws StoreUnavailableError for any other failure
   * @throws the signal's reason when that aborts
   */
  static async open(options: RedisLinkOptions): Promise<RedisLink> {
    const { signal } = options;
    const link = new RedisLink(options);
    const forget = onAbort(signal, () => void link.close());
    try {
      signal?.throwIfAborted();
      await link.#open(options);
      signal?.throwIfAborted();
      return link;
    } catch (error) {
      await link.close();
      throw signal?.aborted ? signal.reason : error;
    } finally {
      forget();
    }
  }

  async #open({ address, connectTimeoutMs, topology, logger }: RedisLinkOptions): Promise<void> {
    const deadline = performance.now() + connectTimeoutMs;
    let passing: unknown;
    for (;;) {
      try {
        await this.#routes.open(deadline);
        return;
      } catch (error) {
        if (this.#isClosed) throw error;
        if (isPassing(error) || (topology !== undefined && !isAnswer(error))) {
          passing = error;
          if (performance.now() + loadingPauseMs < deadline) {
            await sleep(loadingPauseMs);
            continue;
          }
        }
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
    return this.#run(words, keys[0], script.name, nonce, report);
  }

  /** The same for one command, with its key first: a read, or a write that may be repeated. */
  command(args: readonly RedisArgument[], nonce?: string): Promise<RedisReply> {
    const key = keyless.has(args[0]) ? undefined : String(args[1]);
    return this.#run(args, key, String(args[0]), nonce, undefined);
  }

  /** Each server that takes writes, to ask it about itself. */
  servers(): Pick<RedisLink, 'address' | 'command'>[] {
    return [...this.#routes.nodes].map((node) => ({
      address: node.address,
      command: async (args) => {
        try {
          const live = await node.commands.ready(performance.now() + this.timeoutMs);
          return await live.track((connection) => connection.send(args));
        } catch (error) {
          throw this.#isClosed
            ? closedError()
            : runningFailure(node.address, error, String(args[0]));
        }
      },
    }));
  }

  /**
   * Waits until a replica has what the key's server has acknowledged so far.
   *
   * @param server that has acknowledged it (`serverOf`): another one may lack it
   * @param mark a key in the same slot, to write to
   * @param ifAny whether a server without replicas counts as one whose replicas have it
   * @returns whether one has it; false also when that could not be learned by `deadline`
   * @throws StoreUnavailableError where the user may not ask
   */
  async confirm(
    server: string,
    mark: string,
    { deadline, ifAny }: { readonly deadline: number; readonly ifAny: boolean },
  ): Promise<boolean> {
    if (ifAny && !(await this.#hasReplica(mark, deadline))) return true;
    const { address, replication } = this.#routes.nodeFor(mark);
    try {
      return await replication.confirm(server, mark, deadline);
    } catch (error) {
      throw runningFailure(address, error, 'WAIT');
    }
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
      return await this.#routes.subscribe(channel, listener);
    } catch (error) {
      throw this.#isClosed ? closedError() : error;
    }
  }

  /** Tells that the subscriptions were interrupted and are there again: messages may be missing. */
  onGap(listener: () => void): () => void {
    const own = () => listener();
    this.#gapListeners.add(own);
    return () => this.#gapListeners.delete(own);
  }

  /** Tells that the connection leads to another server than before. */
  onServer(listener: () => void): void {
    this.#serverListeners.add(listener);
  }

  /** Ends everything; calls that are not done reject. May be called again. */
  async close(): Promise<void> {
    const why = closedError();
    this.#isClosed = true;
    this.#repeater.close();
    this.#gapListeners.clear();
    await this.#routes.close(why);
    this.#timer.stop();
  }

  /** Whether any follows the server of `key` now; none where the user may not ask. */
  async #hasReplica(key: string, deadline: number): Promise<boolean> {
    for (;;) {
      try {
        const reply = await this.#run(['ROLE'], key, 'ROLE', undefined, {
          repeated: false,
          deadline,
        });
        const replicas = Array.isArray(reply) ? reply[2] : undefined;
        return Array.isArray(replicas) && replicas.length > 0;
      } catch (error) {
        if (error instanceof Error && error.cause instanceof RedisReplyError) return false;
      }
      // Where it could not be learned there may be one: to say no would be to promise what nobody knows.
      // But to wait for one that is not there takes all the time that is left: asking again costs less.
      if (this.#isClosed || performance.now() + rolePauseMs >= deadline) return true;
      await sleep(rolePauseMs);
    }
  }

  /** The usual case makes one promise, besides the client's; everything else is the repeater's. */
  async #run(
    args: readonly RedisArgument[],
    key: string | undefined,
    about: string,
    nonce: string | undefined,
    report: CallReport | undefined,
  ): Promise<RedisReply> {
    const deadline = report?.deadline ?? performance.now() + this.timeoutMs;
    const live = this.#routes.nodeFor(key).commands.current;
    const call = { args, key, about, nonce, deadline, report };
    if (live === undefined) return this.#repeater.finish(call);
    if (!this.#timer.isRunning) this.#timer.start();
    live.begin();
    try {
      const reply = await live.connection.send(args);
      live.end();
      return reply;
    } catch (error) {
      live.end();
      return this.#repeater.finish(call, live.connection.explain(error), live);
    }
  }

  #tick(): boolean {
    let isDue = false;
    for (const node of this.#routes.nodes) isDue = node.tick() || isDue;
    return isDue;
  }
}

/** Asked again, the servers would say the same. */
function isAnswer(error: unknown): boolean {
  return error instanceof RedisReplyError || error instanceof ConfigError;
}
