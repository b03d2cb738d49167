import { ConfigError } from '../../errors/errors.ts';
import type { RedisLink } from '../connection/link/redis-link.ts';
import { text } from '../connection/reply.ts';
import { Keys } from './keys.ts';

/** Of the layout of keys and values, as this version writes it. */
const format = '1';

/**
 * Joins the namespace of this prefix, or begins it: all instances must find a session in the same
 * bucket. @returns the number of its buckets. @throws ConfigError for one of another version
 */
export async function openNamespace(
  link: RedisLink,
  prefix: string,
  buckets: number,
): Promise<number> {
  const key = new Keys(prefix, buckets).namespace;
  await link.command(['HSETNX', key, 'format', format]);
  await link.command(['HSETNX', key, 'buckets', String(buckets)]);
  const reply = await link.command(['HMGET', key, 'format', 'buckets']);
  const [found = '', count = ''] = Array.isArray(reply) ? reply.map(text) : [];
  if (found !== format) {
    throw new ConfigError(
      `The keys behind the prefix "${prefix}" have format ${found}, which this version cannot read. Use another REDIS_SESSION_KEY_PREFIX, or the version that wrote them.`,
    );
  }
  return Number(count);
}

/**
 * The same for one that this instance is in, in case that all data was flushed: before it puts
 * anything there again. @throws ConfigError when somebody else has begun it anew, and differently
 */
export async function rejoinNamespace(link: RedisLink, { prefix, buckets }: Keys): Promise<void> {
  const found = await openNamespace(link, prefix, buckets);
  if (found === buckets) return;
  throw new ConfigError(
    `The keys behind the prefix "${prefix}" are divided into ${found} buckets now, and not into ${buckets}. Start this process again.`,
  );
}
