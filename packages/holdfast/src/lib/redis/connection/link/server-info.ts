import { type RedisReply, RedisReplyError } from '../redis-connection.ts';
import type { RedisLink } from './redis-link.ts';

/** A section of `INFO`, by its names; empty where the user may not ask. */
export async function serverInfo(
  link: Pick<RedisLink, 'command'>,
  section: string,
): Promise<ReadonlyMap<string, string>> {
  const reply = await allowed(link, ['INFO', section]);
  const lines = Buffer.isBuffer(reply) ? reply.toString().split('\r\n') : [];
  return new Map(
    lines.flatMap((line) => {
      const colon = line.indexOf(':');
      return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1)] as const];
    }),
  );
}

/** The reply, or undefined where the server refuses the command: to this user, or to everybody. */
export async function allowed(
  link: Pick<RedisLink, 'command'>,
  args: readonly string[],
): Promise<RedisReply | undefined> {
  try {
    return await link.command(args);
  } catch (error) {
    if (error instanceof Error && error.cause instanceof RedisReplyError) return undefined;
    throw error;
  }
}
