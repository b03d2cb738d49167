import {
  ConnectionLostError,
  type ConnectRedis,
  type RedisArgument,
  type RedisConnection,
  type RedisReply,
} from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';

type Send = (args: readonly RedisArgument[]) => Promise<RedisReply>;

/** A connection without a server, whose `destroy` ends it but settles nothing that is in flight. */
export class StubConnection implements RedisConnection {
  onMessage: ((channel: string, message: Buffer) => void) | undefined;
  readonly closed: Promise<Error>;
  readonly asked: string[] = [];
  /** Confirm what is asked, in order, by calling one after another. */
  readonly confirmations: (() => void)[] = [];
  readonly send: Send;
  #close: (why: Error) => void = () => {};

  constructor(send: Send) {
    this.send = send;
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  subscribe(channel: string): Promise<void> {
    return this.#ask(`subscribe ${channel}`);
  }

  unsubscribe(channel: string): Promise<void> {
    return this.#ask(`unsubscribe ${channel}`);
  }

  explain(error: unknown): ConnectionLostError {
    return error instanceof ConnectionLostError
      ? error
      : new ConnectionLostError('Lost.', { sent: true, cause: error });
  }

  destroy(why = new Error('Destroyed.')): void {
    this.#close(why);
  }

  #ask(what: string): Promise<void> {
    this.asked.push(what);
    return new Promise((resolve) => this.confirmations.push(resolve));
  }
}

/** Connects to nothing; script calls are answered by `send`. */
export function stubbed(send: Send): ConnectRedis {
  return async () =>
    new StubConnection((args) => (args[0] === 'EVALSHA' ? send(args) : Promise.resolve(null)));
}
