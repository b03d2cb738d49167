import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from 'holdfast';
import { RedisSessionStore } from 'holdfast/redis';
import { sessionStoreSuite } from 'holdfast/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from 'vitest';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());
sessionStoreSuite(
  {
    name: 'redis',
    clock: {
      ...systemClock,
      advance: async (ms: number) => {
        await sleep(Math.max(ms, 1));
      },
    },
    create: async (options) => {
      const keyPrefix = `t:${randomUUID()}:`;
      const stores: RedisSessionStore[] = [];
      return {
        open: async () => {
          const store = await RedisSessionStore.connect({
            ...options,
            url: server.url,
            keyPrefix,
            buckets: 8,
          });
          stores.push(store);
          return store;
        },
        dispose: async () => {
          await Promise.all(stores.map((s) => s.close()));
        },
      };
    },
    limits: { propertyRuns: 5 },
  },
  { describe, it, beforeEach, afterEach },
);
