import { randomUUID } from 'node:crypto';
import { type Codec, RedisSessionStore, type RedisSessionStoreOptions } from 'holdfast/redis';
import type { SuiteTarget } from 'holdfast/testing';
import { connectNodeRedis } from '../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import { startRedisOnFakeTime } from '../../servers/redis-server.ts';
import { observedConnect } from './clock/observed-connect.ts';
import { FakeTimeClock } from './clock/suite-clock.ts';
import { Traffic } from './clock/traffic.ts';
import { encrypting } from './encryption.ts';

export interface SuiteTargetOptions {
  readonly name: string;
  /** What is started; one server unless given. */
  readonly start?: () => Promise<Servers>;
  /** Where stores find the server, if not there where it is; and what surrounds their opening. */
  readonly through?: (server: { readonly port: number }) => Promise<Way | undefined>;
  readonly timeoutMs?: number;
  readonly retries?: number;
  readonly propertyRuns?: number;
  /** Whether sessions are kept in the process; not unless given. */
  readonly l1?: RedisSessionStoreOptions['l1'];
  /** How values are stored; encrypted unless given. */
  readonly codecFor?: (keyPrefix: string) => Codec | undefined;
}

/** Servers on a time that the suite moves. */
interface Servers {
  /** Of one of them. */
  readonly port: number;
  readonly place: Pick<RedisSessionStoreOptions, 'url' | 'sentinel' | 'cluster'>;
  setTime(ms: number): void;
  stop(): Promise<void>;
}

async function oneServer(): Promise<Servers> {
  const server = await startRedisOnFakeTime();
  const { url, port } = server;
  return {
    ...{ port, place: { url } },
    setTime: (ms) => server.setTime(ms),
    stop: () => server.stop(),
  };
}

/** A way to the server that has faults of its own. */
interface Way {
  readonly url: string;
  /** A store is opened as long as there are none: opening is not repeated. */
  healthy(on?: boolean): void;
  close(): Promise<void>;
}

/**
 * The contract suite's target on Redis: one server on a time that the suite moves, a namespace for each
 * place, and a store with connections of its own for each writer.
 */
export async function suiteTarget({
  name,
  start = oneServer,
  through = async () => undefined,
  timeoutMs = 30_000,
  retries,
  propertyRuns = 25,
  l1,
  codecFor = encrypting,
}: SuiteTargetOptions): Promise<{ target: SuiteTarget; stop: () => Promise<void> }> {
  const server = await start();
  const way = await through(server);
  const traffic = new Traffic();
  const target: SuiteTarget = {
    name,
    clock: new FakeTimeClock(server, traffic),
    limits: { propertyRuns },
    create: async (options) => {
      const keyPrefix = `${randomUUID()}:`;
      const stores: RedisSessionStore[] = [];
      const own = { timeoutMs, retries, l1, outputIntervalMs: 0, buckets: 8 };
      return {
        open: async () => {
          way?.healthy();
          const store = await RedisSessionStore.connect({
            ...options,
            ...own,
            ...server.place,
            ...(way === undefined ? {} : { url: way.url }),
            keyPrefix,
            codec: codecFor(keyPrefix),
            connect: observedConnect(connectNodeRedis, traffic),
          });
          way?.healthy(false);
          stores.push(store);
          return store;
        },
        dispose: async () => {
          await Promise.all(stores.map((store) => store.close()));
        },
      };
    },
  };
  const stop = async () => {
    await way?.close();
    await server.stop();
  };
  return { target, stop };
}
