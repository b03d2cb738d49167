import type { Logger } from '../../../store/emitter.ts';
import type { CoarseTimer } from '../coarse-timer.ts';
import { outside } from '../outside.ts';
import type { RedisAddress } from '../redis-address.ts';
import { type RedisConnection, RedisReplyError, RedisTimeoutError } from '../redis-connection.ts';
import { runningFailure } from '../redis-failure.ts';
import type { ConnectionKeeper } from './connection-keeper.ts';
import { type Listener, SharedChannel } from './shared-channel.ts';

export interface SubscriptionsOptions {
  readonly address: RedisAddress;
  readonly timer: CoarseTimer;
  /** Between signs of life that are asked of the server while there are subscriptions. */
  readonly heartbeatMs: number;
  readonly timeoutMs: number;
  readonly logger: Logger;
  /** Channels belong to slots. */
  readonly sharded: boolean;
  /** The server has no longer, or refuses, a channel of a slot; `redirect` is what it says, if it says something. */
  readonly onMoved: ((channel: string, redirect?: string) => void) | undefined;
}

const slotRefusals: ReadonlySet<string> = new Set(['MOVED', 'CLUSTERDOWN']);

/** The channels that somebody listens to, on whatever connection there is. */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #channels = new Map<string, SharedChannel>();
  readonly #gapListeners = new Set<() => void>();
  #keeper: ConnectionKeeper | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #hadConnection = false;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  /** Once, before the first use: what keeps the connection, which in its turn calls `prepare`. */
  attach(keeper: ConnectionKeeper): void {
    this.#keeper = keeper;
  }

  /** Brings a new connection to where the last one was. */
  async prepare(connection: RedisConnection): Promise<void> {
    connection.onMessage = (name, message) => this.#deliver(name, message);
    connection.onMoved = (name) => {
      this.#channels.get(name)?.dropped();
      this.#options.onMoved?.(name);
    };
    await Promise.all(
      [...this.#channels.values()].map(async (channel) => {
        try {
          await this.#settle(channel, connection);
        } catch (error) {
          // The others are not to wait for it: whoever knows the slots finds it a place.
          if (!this.#isOfSlot(error)) throw error;
        }
      }),
    );
  }

  /** A connection is in use. */
  up(): void {
    const wasInterrupted = this.#hadConnection && this.#channels.size > 0;
    this.#hadConnection = true;
    if (!wasInterrupted) return;
    for (const listener of this.#gapListeners) this.#guard(listener);
  }

  onGap(listener: () => void): () => void {
    const own = () => listener();
    this.#gapListeners.add(own);
    return () => this.#gapListeners.delete(own);
  }

  /** @param deadline by `performance.now()` */
  async subscribe(
    name: string,
    listener: Listener,
    deadline = performance.now() + this.#options.timeoutMs,
  ): Promise<() => void> {
    const channel =
      this.#channels.get(name) ??
      new SharedChannel(name, this.#options.sharded ? 'sharded' : 'plain');
    this.#channels.set(name, channel);
    const own: Listener = (message) => listener(message);
    channel.listeners.add(own);
    this.#beat();
    try {
      await this.#confirmed(channel, deadline);
    } catch (error) {
      this.#remove(channel, own);
      throw error;
    }
    return () => this.#remove(channel, own);
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.#channels.clear();
    this.#gapListeners.clear();
  }

  async #confirmed(channel: SharedChannel, deadline: number): Promise<void> {
    const { address, timer } = this.#options;
    for (;;) {
      const live = await this.#ready(deadline);
      try {
        const settled = live.track((connection) => this.#settle(channel, connection));
        await timer.within(settled, deadline, () => new RedisTimeoutError('It took too long.'));
        if (channel.isOn(live.connection)) return;
      } catch (error) {
        const isFinal = error instanceof RedisReplyError || error instanceof RedisTimeoutError;
        if (isFinal) throw runningFailure(address, error, 'subscribe');
      }
    }
  }

  /** @throws RedisReplyError | ConnectionLostError */
  async #settle(channel: SharedChannel, connection: RedisConnection): Promise<void> {
    try {
      await channel.settle(connection);
    } catch (error) {
      const failure = connection.explain(error);
      if (this.#isOfSlot(failure)) this.#options.onMoved?.(channel.name, failure.message);
      throw failure;
    }
  }

  /** Whether the server refuses one channel for its slot, which says nothing of others. */
  #isOfSlot(failure: unknown): failure is RedisReplyError {
    return (
      this.#options.sharded && failure instanceof RedisReplyError && slotRefusals.has(failure.code)
    );
  }

  async #ready(deadline: number) {
    const keeper = this.#keeper;
    if (keeper === undefined) throw new Error('Subscriptions were used before attach().');
    keeper.start();
    try {
      if (performance.now() >= deadline) throw new RedisTimeoutError('It took too long.');
      return await keeper.ready(deadline);
    } catch (error) {
      const why = error instanceof RedisTimeoutError ? (keeper.lastFailure ?? error) : error;
      throw runningFailure(this.#options.address, why, 'subscribe');
    }
  }

  #remove(channel: SharedChannel, listener: Listener): void {
    if (!channel.listeners.delete(listener) || channel.listeners.size > 0) return;
    const live = this.#keeper?.current;
    const forget = () => {
      if (channel.isUnused && this.#channels.get(channel.name) === channel) {
        this.#channels.delete(channel.name);
      }
    };
    if (live === undefined) forget();
    else live.track((connection) => channel.settle(connection)).then(forget, forget);
  }

  #deliver(name: string, message: Buffer): void {
    const channel = this.#channels.get(name);
    if (channel === undefined) return;
    for (const listener of channel.listeners) this.#guard(() => listener(message));
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#options.logger.error({ err: error }, 'A listener to Redis messages failed');
    }
  }

  /** Nothing else is asked on this connection: only so a silent death of it shows. */
  #beat(): void {
    const { timer, heartbeatMs } = this.#options;
    const beat = () => {
      const live = this.#keeper?.current;
      if (live === undefined || (this.#channels.size === 0 && !live.isBusy)) return;
      timer.start();
      if (!live.isBusy) live.track((connection) => connection.send(['PING'])).catch(() => {});
    };
    this.#heartbeat ??= outside(() => setInterval(beat, heartbeatMs).unref());
  }
}
