import { expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../servers/redis-server.ts';
import { operatorKey, ServerOnRedis } from './server-on-redis.ts';

it('probes and metrics answer while Redis hangs, long before a call to it would fail', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  // An answer within this test's time is none that has waited for Redis.
  const server = await ServerOnRedis.start(redis.url, { REDIS_SOCKET_TIMEOUT: '600' });
  const ask = async (path: string) => {
    const response = await fetch(`${server.address}${path}`, {
      headers: { authorization: `Bearer ${operatorKey}` },
    });
    return [response.status, await response.text()] as const;
  };
  expect(await ask('/health/ready')).toEqual([200, '{"ready":true}']);
  await redis.pause();
  await expect.poll(async () => (await ask('/health/ready'))[0]).toBe(503);
  const [health, live, metrics] = await Promise.all(
    ['/health', '/health/live', '/metrics'].map(ask),
  );
  expect(health?.[0]).toBe(503);
  expect(JSON.parse(health?.[1] ?? '')).toMatchObject({ healthy: false });
  expect(live).toEqual([200, '{"live":true}']);
  expect(metrics?.[1]).toMatch(/^holdfast_store_up 0$/m);
  redis.resume();
  await expect
    .poll(async () => (await ask('/health/ready'))[0], { timeout: 60_000, interval: 50 })
    .toBe(200);
});
