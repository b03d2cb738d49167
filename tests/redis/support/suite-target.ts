import { randomUUID } from 'node:crypto';
import { RedisSessionStore } from 'holdfast/redis';
import type { SuiteTarget } from 'holdfast/testing';
import { connectNodeRedis } from '../../../packages/holdfast/src/lib/redis/connection/node-redis.ts';
import { startRedisOnFakeTime } from '../../servers/redis-server.ts';
import { observedConnect } from './observed-connect.ts';
import { FakeTimeClock } from './suite-clock.ts';
import { Traffic } from './traffic.ts';

export interface SuiteTargetOptions {
  readonly name: string;
  /** Where stores find the server, if not there where it is. */
  readonly through?: (url: string) => string;
  readonly timeoutMs?: number;
  readonly retries?: number;
  readonly propertyRuns?: number;
}

/**
 * The contract suite's target on Redis: one server on a time that the suite moves, a namespace for each
 * place, and a store with connections of its own for each writer.
 */
export async function suiteTarget({
  name,
  through = (url) => url,
  timeoutMs = 30_000,
  retries,
  propertyRuns = 25,
}: SuiteTargetOptions): Promise<{ target: SuiteTarget; stop: () => Promise<void> }> {
  const server = await startRedisOnFakeTime();
  const traffic = new Traffic();
  const target: SuiteTarget = {
    name,
    clock: new FakeTimeClock(server, traffic),
    limits: { propertyRuns },
    create: async (options) => {
      const keyPrefix = `${randomUUID()}:`;
      const stores: RedisSessionStore[] = [];
      const own = { timeoutMs, retries, outputIntervalMs: 0, buckets: 8 };
      return {
        open: async () => {
          const store = await RedisSessionStore.connect({
            ...options,
            ...own,
            url: through(server.url),
            keyPrefix,
            connect: observedConnect(connectNodeRedis, traffic),
          });
          stores.push(store);
          return store;
        },
        dispose: async () => {
          await Promise.all(stores.map((store) => store.close()));
        },
      };
    },
  };
  return { target, stop: () => server.stop() };
}
