import type { CoarseTimer } from '../coarse-timer.ts';
import { diagnose } from '../diagnose.ts';
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
  /** The server is another one than a write's, or has another name by now. */
  readonly onOther: () => void;
}

/** A write that waits for a replica to have it. */
interface Waiting {
  /** The server that took it (`RedisNode.server`). */
  readonly server: string;
  /** A key of that server's own, for the mark. */
  readonly mark: string;
  /** By `performance.now()`. */
  readonly deadline: number;
  readonly resolve: (confirmed: boolean) => void;
  readonly reject: (refusal: Error) => void;
  /** The connection led to another server, and was given up for that. */
  isElsewhere: boolean;
}

/** What a replica has. */
interface Confirmed {
  readonly server: string;
  readonly connection: RedisConnection;
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
  #waiting: Waiting[] = [];
  #isAsking = false;
  readonly #pauses = new Pauses();

  constructor(options: ReplicationOptions) {
    this.#options = options;
    const { address: _address, onOther: _onOther, assertRole, ...shared } = options;
    this.keeper = new ConnectionKeeper({
      ...shared,
      purpose: 'replication',
      prepare: async (connection) => {
        const [server] = await Promise.all([identifyServer(connection), assertRole(connection)]);
        return server?.name;
      },
    });
  }

  /**
   * Whether a replica has all that `server` had acknowledged when this was called; false at once where
   * the mark's slot has gone to another server.
   *
   * @param mark a key of the server's own, for the mark
   * @throws RedisReplyError where the user may not ask
   */
  confirm(server: string, mark: string, deadline: number): Promise<boolean> {
    const confirmed = new Promise<boolean>((resolve, reject) => {
      this.#waiting.push({ server, mark, deadline, resolve, reject, isElsewhere: false });
    });
    if (!this.#isAsking) void this.#askForAll();
    return confirmed;
  }

  async #askForAll(): Promise<void> {
    this.#isAsking = true;
    // What comes while a question is out is asked for by the next one: its mark would be too early.
    while (this.#waiting.length > 0) {
      const asked = this.#waiting;
      this.#waiting = [];
      // Who has least time left sets the time of all, and the others ask again.
      const deadline = Math.min(...asked.map((one) => one.deadline));
      // The slot of a mark may have left the server: then the next question has another one.
      const [{ mark } = { mark: '' }, ...others] = asked;
      const found = await this.#askFor(mark, deadline);
      for (const one of [...others, ...asked.slice(0, 1)]) {
        if (found instanceof Error) one.reject(found);
        else if (found !== 'moved') this.#answer(one, found);
        else if (one.mark === mark) one.resolve(false);
        else this.#answer(one, null);
      }
    }
    this.#isAsking = false;
  }

  /**
   * @returns null when nothing was learned, `moved` where the mark's slot is another server's, and a refusal
   *   that no other attempt changes
   */
  async #askFor(
    mark: string,
    deadline: number,
  ): Promise<Confirmed | 'moved' | RedisReplyError | null> {
    try {
      return await this.#ask(mark, deadline);
    } catch (error) {
      if (error instanceof RedisReplyError && error.code === 'MOVED') return 'moved';
      if (error instanceof RedisReplyError && diagnose(error).isSetting) return error;
      await this.#pauses.wait(pauseMs);
      return null;
    }
  }

  /** @param confirmed null when nothing was learned */
  #answer(one: Waiting, confirmed: Confirmed | null): void {
    if (confirmed?.server === one.server) one.resolve(true);
    else if (performance.now() >= one.deadline || this.keeper.isClosed) one.resolve(false);
    else if (confirmed === null) this.#waiting.push(one);
    else if (one.isElsewhere) one.resolve(false);
    else {
      // The server may be the same under another name since it was a replica, or another one be there by now.
      one.isElsewhere = true;
      this.#waiting.push(one);
      confirmed.connection.destroy(new Error('The connection led to another server.'));
      this.#options.onOther();
    }
  }

  /** @returns what one of the server's replicas has the mark of; null when none had it in time */
  async #ask(mark: string, deadline: number): Promise<Confirmed | null> {
    const live = await this.#live(deadline);
    const server = live.server ?? (await this.#identify(live, deadline));
    // Some time is left for the reply to come.
    const waitMs = Math.floor((deadline - performance.now()) * 0.9);
    if (waitMs < 1) return null;
    const { connection } = live;
    const [, count] = await this.#within(live, deadline, () =>
      Promise.all([
        connection.send(['SET', mark, '', 'PX', markMs]),
        connection.send(['WAIT', '1', String(waitMs)]),
      ]).catch((error: unknown) => {
        const failure = connection.explain(error);
        // Another server may be the primary by now: a new connection finds it.
        if (failure instanceof RedisReplyError && failure.code === 'READONLY') {
          connection.destroy(failure);
        }
        throw failure;
      }),
    );
    return Number(count) === 0 ? null : { server, connection };
  }

  /** Where the user might not ask when the connection was made, and may by now. */
  async #identify(live: LiveConnection, deadline: number): Promise<string> {
    const server = await this.#within(live, deadline, () => identifyServer(live.connection));
    if (server !== null) return server.name;
    throw new RedisReplyError('NOPERM INFO does not tell this user whose replicas these are.');
  }

  #live(deadline: number): Promise<LiveConnection> {
    this.keeper.start();
    return this.keeper.ready(deadline);
  }

  /** Not watched for silence as other connections are: a wait may last as long as its deadline. */
  async #within<Value>(
    live: LiveConnection,
    deadline: number,
    ask: () => Promise<Value>,
  ): Promise<Value> {
    const { timer } = this.#options;
    const late = () => {
      const error = new RedisTimeoutError('The replicas were not heard of in time.');
      live.connection.destroy(error);
      return error;
    };
    return timer.within(ask(), deadline, late);
  }
}
