import type {
  RedisArgument,
  RedisConnection,
  RedisReply,
} from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { defineScript } from '../../../packages/holdfast/src/lib/redis/connection/script.ts';
import { bytesOf, type Exchange } from './exchange.ts';

type Call = readonly RedisArgument[];

/** Script calls that move given bytes and do nothing: what no turn on this client can beat. */
export class Limit {
  readonly #connection: RedisConnection;
  readonly #calls: readonly Call[];

  private constructor(connection: RedisConnection, calls: readonly Call[]) {
    this.#connection = connection;
    this.#calls = calls;
  }

  /** As many bytes as the exchanges: all arguments as one, and one string as the reply. */
  static async inOnePart(connection: RedisConnection, exchanges: readonly Exchange[]) {
    const key = 'limit';
    const calls = exchanges.map(async ({ words, reply }) => {
      const argument = 'a'.repeat(Math.max(bytesOf(words) - key.length, 0));
      const sha1 = await load(connection, Buffer.alloc(bytesOf(reply)));
      return ['EVALSHA', sha1, '1', key, argument];
    });
    return new Limit(connection, await Promise.all(calls));
  }

  /** The very keys and arguments of the exchanges, and replies of the same shape. */
  static async inSameParts(connection: RedisConnection, exchanges: readonly Exchange[]) {
    const calls = exchanges.map(async ({ keys, words, reply }) => {
      return ['EVALSHA', await load(connection, reply), String(keys), ...words];
    });
    return new Limit(connection, await Promise.all(calls));
  }

  /** One after the other, as a turn's. */
  readonly run = async (): Promise<void> => {
    for (const call of this.#calls) await this.#connection.send(call);
  };
}

/** Loads a script that replies with something like `reply`. */
async function load(connection: RedisConnection, reply: RedisReply): Promise<string> {
  const { source, sha1 } = defineScript('limit', `return ${literal(reply)}`);
  await connection.send(['SCRIPT', 'LOAD', source]);
  return sha1;
}

/** In Lua; each string is one of the same length. */
function literal(reply: RedisReply): string {
  if (reply === null) return 'false';
  if (typeof reply === 'number') return String(reply);
  if (Buffer.isBuffer(reply)) return `'${'r'.repeat(reply.length)}'`;
  return `{${(reply as readonly RedisReply[]).map(literal).join(', ')}}`;
}
