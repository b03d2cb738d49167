import type { CoarseTimer } from '../coarse-timer.ts';
import { Pauses } from '../pauses.ts';
import type { RedisAddress } from '../redis-address.ts';
import { type RedisConnection, RedisTimeoutError } from '../redis-connection.ts';
import { ConnectionKeeper, type KeeperOptions } from './connection-keeper.ts';
import type { LiveConnection } from './live-connection.ts';
import { identifyServer } from './server-identity.ts';

export interface ReplicationOptions
  extends Pick<
    KeeperOptions,
    'locate' | 'connect' | 'reconnectTimeoutMs' | 'patience' | 'outages'
  > {
  readonly address: RedisAddress;
  readonly timer: CoarseTimer;
  readonly assertRole: (connection: RedisConnection) => Promise<void>;
}

/** A write that waits for a replica to have it. */
interface Waiting {
  /** The server that took it (`RedisNode.server`). */
  readonly server: string;
  /** By `performance.now()`. */
  readonly deadline: number;
  readonly resolve: (confirmed: boolean) => void;
}

/** What the mark that a wait is for lives, in ms: it is written again each time. */
const markMs = '60000';

/** After a question that failed, in ms. */
const pauseMs = 50;

/**
 * Asks whether a replica has what was written. WAIT holds up everything behind it on its connection, so
 * it has one of its own, and asks for all writes at once that were acknowledged before: it writes a
 * mark, which is behind them in the stream of replication, and waits for that.
 */
export class Replication {
  readonly keeper: ConnectionKeeper;
  readonly #options: ReplicationOptions;
  readonly #servers = new WeakMap<RedisConnection, string | null>();
  #waiting: Waiting[] = [];
  #isAsking = false;
  readonly #pauses = new Pauses();

  constructor(options: ReplicationOptions) {
    this.#options = options;
    const { address: _, assertRole, ...shared } = options;
    this.keeper = new ConnectionKeeper({
      ...shared,
      purpose: 'replication',
      prepare: async (connection) => {
        const [server] = await Promise.all([identifyServer(connection), assertRole(connection)]);
        this.#servers.set(connection, server);
      },
    });
  }

  /**
   * Whether a replica has all that `server` had acknowledged when this was called.
   *
   * @param mark a key of the server's own, for the mark
   */
  confirm(server: string, mark: string, deadline: number): Promise<boolean> {
    const confirmed = new Promise<boolean>((resolve) => {
      this.#waiting.push({ server, deadline, resolve });
    });
    if (!this.#isAsking) void this.#askFor(mark);
    return confirmed;
  }

  async #askFor(mark: string): Promise<void> {
    this.#isAsking = true;
    // What comes while a question is out is asked for by the next one: its mark would be too early.
    while (this.#waiting.length > 0) {
      const asked = this.#waiting;
      this.#waiting = [];
      // Who has least time left sets the time of all, and the others ask again.
      const deadline = Math.min(...asked.map((one) => one.deadline));
      const server = await this.#ask(mark, deadline).catch(() => this.#pauses.wait(pauseMs));
      for (const one of asked) {
        if (typeof server === 'string') one.resolve(one.server === server);
        else if (performance.now() >= one.deadline || this.keeper.isClosed) one.resolve(false);
        else this.#waiting.push(one);
      }
    }
    this.#isAsking = false;
  }

  /** @returns the server one of whose replicas has the mark; null when none had it in time */
  async #ask(mark: string, deadline: number): Promise<string | null> {
    const live = await this.#live(deadline);
    // Some time is left for the reply to come.
    const waitMs = Math.floor((deadline - performance.now()) * 0.9);
    if (waitMs < 1) return null;
    const [, count] = await this.#within(live, deadline, (connection) =>
      Promise.all([
        connection.send(['SET', mark, '', 'PX', markMs]),
        connection.send(['WAIT', '1', String(waitMs)]),
      ]),
    );
    return Number(count) > 0 ? (this.#servers.get(live.connection) ?? null) : null;
  }

  #live(deadline: number): Promise<LiveConnection> {
    this.keeper.start();
    return this.keeper.ready(deadline);
  }

  /** Not watched for silence as other connections are: a wait may last as long as its deadline. */
  async #within<Value>(
    live: LiveConnection,
    deadline: number,
    ask: (connection: RedisConnection) => Promise<Value>,
  ): Promise<Value> {
    const { timer } = this.#options;
    const late = () => {
      const error = new RedisTimeoutError('The replicas were not heard of in time.');
      live.connection.destroy(error);
      return error;
    };
    return timer.within(ask(live.connection), deadline, late);
  }
}
