import type { CoarseTimer } from '../coarse-timer.ts';
import { Pauses } from '../pauses.ts';
import type { RedisAddress } from '../redis-address.ts';
import { type RedisConnection, RedisReplyError, RedisTimeoutError } from '../redis-connection.ts';
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
  /** A key in the same slot, to write to. */
  readonly mark: string;
  /** By `performance.now()`. */
  readonly deadline: number;
  readonly resolve: (confirmed: boolean) => void;
}

type Answer =
  | { readonly kind: 'confirmed'; readonly server: string }
  /** The mark's slot is another server's. */
  | { readonly kind: 'moved' }
  /** No replica has it, or nothing was heard. */
  | { readonly kind: 'none' };

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
   * Whether a replica has all that `server` had acknowledged when this was called; false at once where
   * the mark's slot has gone to another server.
   *
   * @param mark a key in the slot of what was written
   */
  confirm(server: string, mark: string, deadline: number): Promise<boolean> {
    const confirmed = new Promise<boolean>((resolve) => {
      this.#waiting.push({ server, mark, deadline, resolve });
    });
    if (!this.#isAsking) void this.#askForAll();
    return confirmed;
  }

  async #askForAll(): Promise<void> {
    this.#isAsking = true;
    // What comes while a question is out is asked for by the next one: its mark would be too early.
    for (let asked = this.#take(); asked[0] !== undefined; asked = this.#take()) {
      const [{ mark }] = asked;
      const answer = await this.#askFor(mark, Math.min(...asked.map((one) => one.deadline)));
      for (const one of asked) {
        if (answer.kind === 'confirmed') one.resolve(one.server === answer.server);
        else if (performance.now() >= one.deadline || this.keeper.isClosed) one.resolve(false);
        else if (answer.kind === 'moved' && one.mark === mark) one.resolve(false);
        else this.#waiting.push(one);
      }
    }
    this.#isAsking = false;
  }

  /** All that wait, another one first each time: whose mark fails holds up no other. */
  #take(): readonly Waiting[] {
    const [first, ...others] = this.#waiting;
    this.#waiting = [];
    return first === undefined ? [] : [...others, first];
  }

  /** @param deadline who has least time left sets the time of all, and the others ask again */
  async #askFor(mark: string, deadline: number): Promise<Answer> {
    try {
      const server = await this.#ask(mark, deadline);
      return server === null ? { kind: 'none' } : { kind: 'confirmed', server };
    } catch (error) {
      if (error instanceof RedisReplyError && error.code === 'MOVED') return { kind: 'moved' };
      await this.#pauses.wait(pauseMs);
      return { kind: 'none' };
    }
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
    ).catch((error: unknown) => {
      const failure = live.connection.explain(error);
      // Another server may be the primary by now: a new connection finds it.
      if (failure instanceof RedisReplyError && failure.code === 'READONLY') {
        live.connection.destroy(failure);
      }
      throw failure;
    });
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
