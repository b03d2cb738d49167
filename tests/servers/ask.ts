import { connectNodeRedis } from '../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import { RedisAddress } from '../../packages/holdfast/src/lib/redis/connection/redis-address.ts';
import type { RedisReply } from '../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';

export type Answer = string | number | null | readonly Answer[];

/** One command to a server, given as `host:port` or the port of one here, over a connection of its own. */
export async function ask(at: number | string, ...words: readonly string[]): Promise<Answer> {
  const place = typeof at === 'number' ? `127.0.0.1:${at}` : at;
  const address = new RedisAddress({ url: `redis://${place}` });
  const connection = await connectNodeRedis(address, 'discovery', AbortSignal.timeout(10_000));
  try {
    return textOf(await connection.send(words));
  } finally {
    connection.destroy();
  }
}

function textOf(reply: RedisReply): Answer {
  if (Buffer.isBuffer(reply)) return reply.toString();
  return typeof reply === 'number' || reply === null ? reply : reply.map(textOf);
}

/** A field of the server's `INFO`, or of `CLUSTER INFO`. */
export function field(info: Answer, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(String(info))?.[1];
}
