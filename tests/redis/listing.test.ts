import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import { Monitor, nameOf } from './support/monitor.ts';
import { SharedNamespace } from './support/shared-namespace.ts';
import { withoutBackground } from './support/without-background.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

describe('a page of a status that few sessions have', () => {
  it.each([
    ['of all', {}, 'ZCARD', 8],
    ['of a user’s', { userId: 'ada' }, 'user', 1],
  ] as const)('%s is found in few looks', async (_, which, looking, callsPerLook) => {
    const buckets = 8;
    const place = new SharedNamespace(server.url, { buckets, clock: withoutBackground });
    const { store } = await place.instance();
    const ids = Array.from({ length: 300 }, (_, n) => `s${n}`);
    const userId = 'ada';
    await Promise.all(ids.map((id) => store.create(id, { userId, status: 'closed' })));
    await store.create('active', { userId });
    const monitor = await Monitor.of(server.port);
    const pages = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await store.listActive({ ...which, status: 'active', limit: 1, cursor });
      pages.push(...page.sessions.map(({ id }) => id));
      cursor = page.cursor;
    }
    expect(pages).toEqual(['active']);
    const seen = (await monitor.take()).filter((command) => nameOf(command) === looking);
    // Twice as many each time: 1, 2, 4 … of 301, of at most two pages.
    expect(seen.length).toBeLessThanOrEqual(2 * 9 * callsPerLook);
  });
});
