import { describe, expect, it } from 'vitest';
import { redisForTests } from '../servers/redis-for-tests.ts';
import { holdfast, logOf, operatorKey, ServerOnRedis } from './server-on-redis.ts';

const sessions = 60;
const shortLived = { REDIS_SESSION_TTL_SECONDS: '1', SESSION_CLEANUP_INTERVAL_SECONDS: '1' };
const patience = { timeout: 60_000, interval: 50 };

async function open(server: ServerOnRedis): Promise<string[]> {
  const opened = await Promise.all(Array.from({ length: sessions }, () => server.open()));
  return opened.map(({ id }) => id);
}

describe('sessions that have expired', () => {
  it('are removed in the background, and told of once by one of three servers', async () => {
    await using redis = await redisForTests();
    const servers = await Promise.all(
      [1, 2, 3].map(() => ServerOnRedis.start(redis.url, shortLived)),
    );
    const [first] = servers as [ServerOnRedis, ServerOnRedis, ServerOnRedis];
    const ids = await open(first);
    const told = () =>
      servers
        .flatMap(({ process }) => logOf(process))
        .filter(({ msg }) => msg === 'session expired')
        .map((line) => (line as { sessionId?: string }).sessionId);
    await expect.poll(() => told().length, patience).toBeGreaterThanOrEqual(sessions);
    const byHand = await first.request('POST', '/api/sessions/cleanup', { token: operatorKey });
    expect(byHand.body).toEqual({ removed: 0 });
    expect(told().toSorted()).toEqual(ids.toSorted());
  });

  it('are removed by the others when the server that is at it dies', async () => {
    await using redis = await redisForTests();
    const servers = await Promise.all(
      [1, 2, 3].map(() => ServerOnRedis.start(redis.url, shortLived)),
    );
    const [first] = servers as [ServerOnRedis, ServerOnRedis, ServerOnRedis];
    await open(first);
    const cleans = ({ process }: ServerOnRedis) =>
      logOf(process).some(({ msg }) => msg === 'session expired');
    await expect.poll(() => servers.some(cleans), patience).toBe(true);
    const doomed = servers.find(cleans);
    doomed?.process.send('SIGKILL');
    const left = servers.filter((server) => server !== doomed);
    const active = async () => {
      const stats = await left[0]?.request('GET', '/api/stats', { token: operatorKey });
      return stats?.body.active_sessions;
    };
    await expect.poll(active, patience).toBe(0);
  });

  it('are removed by `holdfast cleanup`, which says how many', async () => {
    await using redis = await redisForTests();
    const server = await ServerOnRedis.start(redis.url, shortLived);
    await open(server);
    // As all instances would be after a crash. Nobody else cleans up then.
    await server.process.stop();
    let removed = 0;
    await expect
      .poll(async () => {
        const cleaning = holdfast(redis.url, ['cleanup', '--json']);
        expect(await cleaning.exit, cleaning.stderr).toMatchObject({ code: 0 });
        removed += JSON.parse(cleaning.stdout).removed;
        return removed;
      }, patience)
      .toBe(sessions);
    const again = holdfast(redis.url, ['cleanup']);
    expect(await again.exit, again.stderr).toMatchObject({ code: 0 });
    expect(again.stdout).toBe('0 expired sessions removed.\n');
  });

  it('in memory are another process’s: `holdfast cleanup` says so', async () => {
    await using redis = await redisForTests();
    const cleaning = holdfast(redis.url, ['cleanup'], { SESSION_STORE_TYPE: 'in_memory' });
    expect(await cleaning.exit).toMatchObject({ code: 1 });
    expect(cleaning.stderr).toContain('SESSION_STORE_TYPE is not redis');
  });
});
