import { connectNodeRedis } from '../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import type {
  ConnectRedis,
  RedisArgument,
  RedisReply,
} from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';

/** One script call. */
export interface Exchange {
  readonly keys: number;
  /** The keys, and the arguments behind them. */
  readonly words: readonly RedisArgument[];
  readonly reply: RedisReply;
}

/**
 * Connects like the library, and notes the script calls. For a few of them, not for measuring time;
 * nor for failures, which the library would not recognise.
 */
export class ExchangeRecorder {
  readonly exchanges: Exchange[] = [];

  readonly connect: ConnectRedis = async (address, purpose, signal) => {
    const connection = await connectNodeRedis(address, purpose, signal);
    const send = connection.send.bind(connection);
    connection.send = async (args) => {
      const reply = await send(args);
      const [command, , keys, ...words] = args;
      if (command === 'EVALSHA') this.exchanges.push({ keys: Number(keys), words, reply });
      return reply;
    };
    return connection;
  };
}

/** Without what the protocol adds. */
export function bytesOf(part: RedisReply | RedisArgument | readonly RedisArgument[]): number {
  if (part === null) return 0;
  if (Array.isArray(part)) return part.reduce<number>((sum, inner) => sum + bytesOf(inner), 0);
  return Buffer.byteLength(typeof part === 'number' ? String(part) : (part as RedisArgument));
}
