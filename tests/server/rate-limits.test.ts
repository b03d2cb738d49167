import { expect, it } from 'vitest';
import { startRedis } from '../servers/redis-server.ts';
import { ServerOnRedis } from './server-on-redis.ts';

const requests = 20;

it('a limit holds over all instances, and in each alone while Redis is away', async () => {
  const redis = await startRedis();
  const settings = {
    ...{ RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_REQUESTS: String(requests) },
    ...{ RATE_LIMIT_PERIOD: '86400', REDIS_SOCKET_TIMEOUT: '1' },
  };
  const servers = await Promise.all([1, 2].map(() => ServerOnRedis.start(redis.url, settings)));
  const [one, other] = servers as [ServerOnRedis, ServerOnRedis];
  const statusOf = async (server: ServerOnRedis) =>
    (await server.request('POST', '/api/sessions')).status;
  for (let n = 0; n < requests; n++) expect(await statusOf(n % 2 === 0 ? one : other)).toBe(201);
  expect([await statusOf(one), await statusOf(other)]).toEqual([429, 429]);
  await redis.kill('SIGKILL');
  // Each has seen less than the limit itself, and lets through what then fails at the store.
  const seen: number[] = [];
  while (seen.at(-1) !== 429 && seen.length < 2 * requests) seen.push(await statusOf(one));
  expect(seen.at(-1)).toBe(429);
  expect(seen.slice(0, -1)).not.toEqual([]);
  expect(new Set(seen.slice(0, -1))).toEqual(new Set([503]));
  await redis.restart();
  // Redis has forgotten all: as soon as it counts again, the period begins anew.
  await expect.poll(() => statusOf(one), { timeout: 60_000, interval: 200 }).toBe(201);
  await redis.stop();
});
