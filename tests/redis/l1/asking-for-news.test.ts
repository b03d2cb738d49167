import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, it, onTestFinished, vi } from 'vitest';
import { connectNodeRedis } from '../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import type { ConnectRedis } from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { slotOf } from '../../../packages/holdfast/src/lib/redis/connection/routes/cluster-slots.ts';
import { Keys } from '../../../packages/holdfast/src/lib/redis/layout/keys.ts';
import { scripts } from '../../../packages/holdfast/src/lib/redis/scripts/scripts.ts';
import { RedisCluster } from '../../servers/redis-cluster.ts';
import { startedRedis } from '../connection/fixtures.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';

const soon = { timeout: 60_000, interval: 5 };

interface Question {
  readonly port: number;
  readonly buckets: number;
  readonly context: unknown;
}

/** What questions for news come to. */
class Questions {
  readonly asked: Question[] = [];
  readonly failures: unknown[] = [];
  readonly context = new AsyncLocalStorage<string>();

  readonly connect: ConnectRedis = async (address, purpose, signal) => {
    const connection = await connectNodeRedis(address, purpose, signal);
    const send = connection.send.bind(connection);
    connection.send = (args) => {
      const reply = send(args);
      if (args[1] !== scripts.news.sha1) return reply;
      const context = this.context.getStore();
      this.asked.push({ port: address.port, buckets: Number(args[2]), context });
      reply.catch((error: unknown) => this.failures.push(error));
      return reply;
    };
    return connection;
  };
}

it('belongs to no turn that happens to need them', async () => {
  const redis = await startedRedis();
  const { connect, context, asked } = new Questions();
  const { store } = await new SharedNamespace(redis.url).instance({ connect, l1: {} });
  await context.run('a turn', () => store.get('s'));
  await vi.waitUntil(() => asked.length > 0, soon);
  expect(asked[0]?.context).toBeUndefined();
});

it('is done for as many buckets as there can be', async () => {
  const redis = await startedRedis();
  const { connect, asked, failures } = new Questions();
  const buckets = 16_384;
  const place = new SharedNamespace(redis.url);
  const { store } = await place.instance({ connect, buckets, l1: {}, timeoutMs: 60_000 });
  const keys = new Keys(place.keyPrefix, buckets);
  const ids = new Map<number, string>();
  for (let n = 0; ids.size < 9_000; n++) ids.set(keys.bucketOf(`s${n}`), `s${n}`);
  await Promise.all([...ids.values()].map((id) => store.get(id)));
  const total = () => asked.reduce((sum, one) => sum + one.buckets, 0);
  await vi.waitUntil(() => total() >= ids.size, soon);
  // What was asked before has been answered.
  await store.get('s0', { fresh: true });
  expect(failures).toEqual([]);
});

it('waits for no other server of a cluster', async () => {
  const cluster = await RedisCluster.start({ primaries: 2, replicas: 0, nodeTimeoutMs: 600_000 });
  onTestFinished(() => cluster.stop());
  const [one, other] = cluster.primaries;
  const place = new SharedNamespace('redis://cluster', {
    ...{ cluster: { nodes: cluster.addresses }, timeoutMs: 600_000 },
  });
  const { connect, asked } = new Questions();
  const { store } = await place.instance({ l1: {}, connect });
  const idAt = async (server: typeof one) => {
    for (let n = 0; ; n++) {
      const owner = await cluster.ownerOf(slotOf(place.keys.session(`s${n}`)[0]));
      if (owner === server) return `s${n}`;
    }
  };
  const [away, there] = [await idAt(one), await idAt(other)];
  for (const id of [away, there]) await store.create(id);
  /** Questions to this server from now on, while somebody reads the session. */
  const questions = async (id: string, server: typeof one, count: number) => {
    const from = asked.length;
    const ofServer = () => asked.slice(from).filter(({ port }) => port === server?.port).length;
    await vi.waitUntil(() => {
      store.get(id).catch(() => {});
      return ofServer() >= count;
    }, soon);
  };
  await one?.pause();
  onTestFinished(() => one?.resume());
  await questions(away, one, 1);
  await questions(there, other, 3);
});
