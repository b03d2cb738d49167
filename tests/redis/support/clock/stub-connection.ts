import type {
  RedisArgument,
  RedisConnection,
  RedisReply,
} from '../../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { ConnectionLostError } from '../../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';

/** A connection whose every reply, message and end is the test's to give. */
export class StubConnection implements RedisConnection {
  onMessage: ((channel: string, message: Buffer) => void) | undefined;
  readonly closed: Promise<Error>;
  /** What was asked and waits for its reply, in order. */
  readonly asked: { words: string; reply: (reply: RedisReply) => void }[] = [];
  end: (why: Error) => void = () => {};

  constructor() {
    this.closed = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  send(args: readonly RedisArgument[]): Promise<RedisReply> {
    return new Promise((reply) => {
      this.asked.push({ words: args.join(' '), reply });
    });
  }

  async subscribe(channel: string): Promise<void> {
    await this.send(['SUBSCRIBE', channel]);
  }

  async unsubscribe(channel: string): Promise<void> {
    await this.send(['UNSUBSCRIBE', channel]);
  }

  explain(cause: unknown): ConnectionLostError {
    return new ConnectionLostError('lost', { sent: true, cause });
  }

  destroy(why = new Error('destroyed')): void {
    this.end(why);
  }

  /** Answers the oldest question, which must be this one. */
  answer(words: string): void {
    const oldest = this.asked.shift();
    if (oldest?.words !== words) throw new Error(`It was asked ${oldest?.words}, not ${words}.`);
    oldest.reply(null);
  }
}
