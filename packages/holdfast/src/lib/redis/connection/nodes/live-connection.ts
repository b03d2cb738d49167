import type { RedisAddress } from '../redis-address.ts';
import { type RedisConnection, RedisTimeoutError } from '../redis-connection.ts';

/**
 * A connection that is in use, and the watch over its replies. It counts what was asked and what was
 * answered, and remembers the first count at each tick: when the answers have not reached the count
 * of `patience` ticks ago, something is older than that, and the connection is given up.
 *
 * Ticks are counted, not milliseconds: a process that stood still finds its replies waiting, not
 * late.
 */
export class LiveConnection {
  readonly connection: RedisConnection;
  /** Where it leads. */
  readonly address: RedisAddress;
  /** Which server is there, by the name that it had; undefined where the user may not ask. */
  readonly server: string | undefined;
  readonly #patience: number;
  readonly #marks: number[] = [];
  #asked = 0;
  #answered = 0;

  constructor(
    connection: RedisConnection,
    { address, server }: Pick<LiveConnection, 'address' | 'server'>,
    patience: number,
  ) {
    this.connection = connection;
    this.address = address;
    this.server = server;
    this.#patience = patience;
  }

  get isBusy(): boolean {
    return this.#asked !== this.#answered;
  }

  /** Before what expects a reply; `end` after it, whatever it was. */
  begin(): void {
    this.#asked += 1;
  }

  end(): void {
    this.#answered += 1;
  }

  /**
   * `ask` on this connection, watched.
   *
   * @throws RedisReplyError
   * @throws ConnectionLostError
   */
  async track<Value>(ask: (connection: RedisConnection) => Promise<Value>): Promise<Value> {
    this.begin();
    try {
      return await ask(this.connection);
    } catch (error) {
      throw this.connection.explain(error);
    } finally {
      this.end();
    }
  }

  /** @returns whether replies are due */
  tick(): boolean {
    if (!this.isBusy) {
      this.#marks.length = 0;
      return false;
    }
    const mark = this.#marks.length < this.#patience ? undefined : this.#marks.shift();
    this.#marks.push(this.#asked);
    if (mark !== undefined && this.#answered < mark) {
      this.connection.destroy(new RedisTimeoutError('A reply did not come in time.'));
    }
    return true;
  }
}
