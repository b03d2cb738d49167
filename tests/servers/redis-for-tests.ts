import { type RedisAddress, type RedisOptions, startRedis } from './redis-server.ts';

/**
 * A Redis for tests that need no power over its process: the one at `TEST_REDIS_URL` if that is
 * set, which others may use too and which outlives the tests, else a private one.
 */
export async function redisForTests(
  options?: RedisOptions,
  url = process.env.TEST_REDIS_URL,
): Promise<RedisAddress> {
  if (!url) return startRedis(options);
  if (!/^rediss?:\/\//.test(url)) {
    throw new Error('TEST_REDIS_URL is not a redis:// or rediss:// URL.');
  }
  const stop = async () => {};
  return { url, stop, [Symbol.asyncDispose]: stop };
}
