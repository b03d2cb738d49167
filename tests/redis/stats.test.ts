import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import { encrypting } from './support/encryption.ts';
import { SharedNamespace } from './support/shared-namespace.ts';
import { withoutBackground } from './support/without-background.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

describe('the stats of a store on Redis', () => {
  it('tell of the server, the keys and the L1 cache', async () => {
    const place = new SharedNamespace(server.url);
    const codec = encrypting(place.keyPrefix);
    const { store } = await place.instance({ codec, l1: {} });
    const other = await place.instance({ codec });
    await store.create('s');
    await expect
      .poll(async () => {
        await store.get('s');
        return (await store.getStats()).l1CacheHits;
      })
      .toBeGreaterThan(0);
    await other.store.update('s', { escalated: true });
    await expect.poll(async () => (await store.getStats()).l1CacheInvalidations).toBe(1);
    const stats = await store.getStats();
    const ask = await place.asking();
    const info = String(await ask('INFO', 'server'));
    expect(info).toContain(`redis_version:${stats.server?.version}`);
    expect(stats.server?.usedMemoryBytes).toBeGreaterThan(100_000);
    // Two connections of each instance.
    expect(stats.server?.connectedClients).toBeGreaterThanOrEqual(4);
    expect(stats.encryptionKeyIds).toEqual(codec.keyIds);
    expect(stats.encryptionKeyIds.length).toBeGreaterThan(0);
    const { l1CacheHits: hits, l1CacheMisses: misses, l1CacheHitRate } = stats;
    expect(l1CacheHitRate).toBe(hits / (hits + misses));
  });

  it('do without what the server’s user may not ask', async () => {
    const place = new SharedNamespace(server.url);
    const ask = await place.asking();
    await ask('ACL', 'SETUSER', 'plain', 'on', '>secret', '~*', '&*', '+@all', '-info');
    const url = server.url.replace('redis://', 'redis://plain:secret@');
    const { store } = await new SharedNamespace(url).instance();
    expect(await store.getStats()).toMatchObject({ activeSessions: 0, server: null });
  });

  it('cost the same number of commands, however many sessions there are', async () => {
    const place = new SharedNamespace(server.url, { clock: withoutBackground });
    const { store } = await place.instance();
    const ask = await place.asking();
    const cost = async () => {
      await ask('CONFIG', 'RESETSTAT');
      const { activeSessions } = await store.getStats();
      const stats = String(await ask('INFO', 'commandstats'));
      const calls = [...stats.matchAll(/cmdstat_(z\w+|evalsha|hget\w*):calls=(\d+)/g)];
      return { activeSessions, calls: calls.map(([, name, count]) => `${name} ${count}`) };
    };
    const few = await cost();
    await Promise.all(Array.from({ length: 2_000 }, (_, n) => store.create(`s${n}`)));
    const many = await cost();
    expect(few.activeSessions).toBe(0);
    expect(many.activeSessions).toBe(2_000);
    expect(few.calls.length).toBeGreaterThan(0);
    expect(many.calls).toEqual(few.calls);
  });
});

describe('the health check', () => {
  async function setUp() {
    const place = new SharedNamespace(server.url);
    const ask = await place.asking();
    const user = place.keyPrefix.replaceAll(':', '-');
    /** What an operator's ACL lets instances do from now on. */
    const allow = (...rules: string[]) => ask('ACL', 'SETUSER', user, 'reset', 'on', ...rules);
    const all = ['>secret', '~*', '&*', '+@all'];
    await allow(...all);
    const url = server.url.replace('redis://', `redis://${user}:secret@`);
    const { store } = await place.instance({ url, clock: withoutBackground });
    return { place, ask, store, allow, all };
  }

  it.each([
    ['-set', { set: false, get: false, delete: false }],
    ['-get', { set: true, get: false, delete: false }],
    ['-del', { set: true, get: true, delete: false }],
  ])('tells what fails where the server refuses %s', async (rule, operations) => {
    const { store, allow, all } = await setUp();
    await allow(...all, rule);
    const error = expect.stringContaining('ACL');
    expect(await store.healthCheck()).toEqual({ healthy: false, operations, error });
    await allow(...all);
    expect((await store.healthCheck()).healthy).toBe(true);
  });

  it('writes into the namespace, and leaves nothing there', async () => {
    const { place, ask, store, allow } = await setUp();
    const prefix = place.keyPrefix;
    const before = await ask('KEYS', `${prefix}*`);
    await allow('>secret', `~${prefix}health:*`, '&*', '+@all');
    const operations = { set: true, get: true, delete: true };
    expect(await store.healthCheck()).toEqual({ healthy: true, operations });
    expect(await ask('KEYS', `${prefix}*`)).toEqual(before);
  });
});
