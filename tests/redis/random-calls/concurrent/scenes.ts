import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../../packages/holdfast/src/lib/clock.ts';
import { InMemorySessionStore } from '../../../../packages/holdfast/src/lib/memory/in-memory-session-store.ts';
import { connectNodeRedis } from '../../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import { RedisSessionStore } from '../../../../packages/holdfast/src/lib/redis/redis-session-store.ts';
import type { SessionStore } from '../../../../packages/holdfast/src/lib/store/session-store.ts';
import { FakeClock } from '../../../../packages/holdfast/src/lib/testing/fake-clock.ts';
import type { FakeTimeRedis } from '../../../servers/redis-server.ts';
import { asking } from '../../support/asking.ts';
import { observedConnect } from '../../support/clock/observed-connect.ts';
import { FakeTimeClock } from '../../support/clock/suite-clock.ts';
import { Traffic } from '../../support/clock/traffic.ts';
import { encrypting } from '../../support/encryption.ts';
import { FlakyProxy } from '../../support/lines/flaky-proxy.ts';

/** Where a round takes place. */
export interface Scene {
  readonly clock: Clock & { advance(ms: number): Promise<void> };
  /** What is called; all of them are one driver's, on the same sessions. */
  readonly stores: readonly SessionStore[];
  /** Another one, whose way is sound. */
  readonly judge: SessionStore;
  /** From now on nothing goes wrong. */
  calm(): void;
  hadFaults(): boolean;
  /** What is stored of sessions and of who waits for them, when there should be nothing. */
  leftovers(): Promise<readonly string[]>;
  close(): Promise<void>;
}

interface SceneOptions {
  readonly idleTimeoutMs: number;
}

export function inMemory({ idleTimeoutMs }: SceneOptions): Scene {
  const clock = new FakeClock();
  const store = new InMemorySessionStore({ clock, idleTimeoutMs });
  return {
    ...{ clock, stores: [store], judge: store, calm: () => {}, hadFaults: () => false },
    leftovers: async () => {
      const { sessions } = await store.listActive();
      return sessions.map(({ id }) => id);
    },
    close: () => store.close(),
  };
}

/** Faults as a network has them; a black hole takes real time. */
const kinds = ['delay', 'split', 'cutBeforeRequest', 'cutBeforeReply', 'cutMidReply'] as const;

interface RedisSceneOptions extends SceneOptions {
  readonly server: FakeTimeRedis;
  /** Which faults there are. */
  readonly seed: number;
  /** Share of requests and of replies that meet one. */
  readonly faultRate: number;
  /** Where its time begins: the server's only goes on. */
  readonly start: number;
  readonly isEncrypted: boolean;
}

/** Two instances, one of which keeps sessions in its process, on a way on which things go wrong. */
export async function onRedis({
  server,
  start,
  seed,
  faultRate,
  isEncrypted,
  idleTimeoutMs,
}: RedisSceneOptions): Promise<Scene> {
  const proxy = await FlakyProxy.start(server.port, {
    rate: faultRate,
    seed,
    kinds,
    maxDelayMs: 2,
  });
  const traffic = new Traffic({ limitMs: 100_000 });
  const clock = new FakeTimeClock(server, traffic, start);
  const keyPrefix = `${randomUUID()}:`;
  const codec = isEncrypted ? encrypting(keyPrefix) : undefined;
  const connect = observedConnect(connectNodeRedis, traffic);
  const own = { keyPrefix, buckets: 2, codec, connect, clock, idleTimeoutMs, outputIntervalMs: 0 };
  const open = (options: { url: string; retries?: number; l1?: object }) =>
    // So long that only what would hang takes it.
    RedisSessionStore.connect({ ...own, timeoutMs: 60_000, ...options });
  proxy.healthy();
  const stores = [
    await open({ url: proxy.url, retries: 0 }),
    await open({ url: proxy.url, retries: 1, l1: { size: 100, ttlMs: 60_000, stalenessMs: 250 } }),
  ];
  const judge = await open({ url: server.url });
  proxy.healthy(false);
  return {
    ...{ clock, stores, judge },
    calm: () => proxy.healthy(),
    hadFaults: () => {
      const { cutBeforeRequest, cutBeforeReply, cutMidReply } = proxy.faults;
      return cutBeforeRequest + cutBeforeReply + cutMidReply > 0;
    },
    leftovers: async () => {
      const ask = await asking(server.url);
      const keys = (await ask('KEYS', `${keyPrefix}*`)) as readonly string[];
      const rest = keys.map((key) => key.slice(keyPrefix.length));
      const left = rest.filter((key) => !/^(namespace|[gbndpct]:.*)$/.test(key)).sort();
      const isOver = async (key: string) =>
        key.startsWith('v:') && String(await ask('HKEYS', `${keyPrefix}${key}`)) === '#epoch';
      const over = await Promise.all(left.map(isOver));
      return left.filter((_, at) => !over[at]);
    },
    close: async () => {
      await Promise.all([...stores, judge].map((store) => store.close()));
      await proxy.close();
    },
  };
}
