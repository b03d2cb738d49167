import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Durability } from '../../../packages/holdfast/src/lib/redis/core/replicas.ts';
import { ask } from '../../servers/ask.ts';
import { RedisCluster } from '../../servers/redis-cluster.ts';
import type { RedisServer } from '../../servers/redis-server.ts';
import { faultScene } from '../support/failovers/fault-scene.ts';

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await RedisCluster.start({ redis: { persistence: 'aof' } });
});
/** Every node is there again for the next test, whoever is a primary by now. */
afterEach(async () => {
  await cluster.revive();
  await cluster.ready();
});
afterAll(() => cluster.stop());

/** A primary that does not have the slot. */
async function anotherPrimary(slot: number): Promise<RedisServer> {
  const from = await cluster.ownerOf(slot);
  const owners = await Promise.all([0, 6_000, 12_000].map((at) => cluster.ownerOf(at)));
  const other = owners.find((node) => node !== from);
  if (other === undefined) throw new Error('One primary has all slots.');
  return other;
}

const scene = async (durability: Durability) => {
  const place = { REDIS_CLUSTER_NODES: cluster.addresses.slice(0, 2).join(',') };
  return faultScene(durability, [place, place], await cluster.shards());
};

/** Another server has the slot now. */
async function failedOver(slot: number, from: RedisServer): Promise<void> {
  await vi.waitUntil(
    async () => {
      const other = cluster.nodes.find((node) => node !== from);
      const slots = await ask(other?.port ?? 0, 'CLUSTER', 'SLOTS');
      const ranges = slots as unknown as [number, number, [string, number]][];
      return ranges.some(([a, b, [, port]]) => a <= slot && slot <= b && port !== from.port);
    },
    { timeout: 60_000, interval: 50 },
  );
}

describe.each(['replicated', 'async'] as const)('on a cluster, %s', (durability) => {
  it('turns go on at the replica that follows a killed primary', async () => {
    const { slot, ledger, finish } = await scene(durability);
    const owner = await cluster.ownerOf(slot);
    await owner.kill('SIGKILL');
    await failedOver(slot, owner);
    await ledger.more();
    // Its slots have no replica until it is back: `replicated` acknowledges nothing there.
    await owner.restart();
    const lost = await finish();
    if (durability === 'replicated') expect(lost).toBe(0);
  });

  it('turns go on when a primary stops answering, and when it wakes', async () => {
    const { slot, ledger, finish } = await scene(durability);
    const owner = await cluster.ownerOf(slot);
    await owner.pause();
    await failedOver(slot, owner);
    await ledger.more();
    owner.resume();
    const lost = await finish();
    if (durability === 'replicated') expect(lost).toBe(0);
  });

  it('turns go on at the replica when it is promoted by hand, and nothing is lost', async () => {
    const { slot, finish } = await scene(durability);
    const owner = await cluster.ownerOf(slot);
    const shard = (await cluster.shards()).find(({ slots }) => slots.has(slot));
    const replica = shard?.nodes.find((node) => node !== owner);
    await ask(replica?.port ?? 0, 'CLUSTER', 'FAILOVER');
    await failedOver(slot, owner);
    expect(await finish()).toBe(0);
  });

  it('a slot moves under its turns, and nothing is lost', async () => {
    const { slot, ledger, outages, finish } = await scene(durability);
    const target = await anotherPrimary(slot);
    // A script needs all keys of a bucket in one place.
    const move = () => cluster.move(slot, target, () => ledger.more());
    await outages.during(move, new Set([slot]));
    expect(await cluster.ownerOf(slot)).toBe(target);
    expect(await finish()).toBe(0);
  });

  it('all nodes are restarted one after the other, and nothing is lost', async () => {
    const { ledger, finish } = await scene(durability);
    for (const node of cluster.nodes) {
      await node.restart();
      await cluster.ready();
      await ledger.more();
    }
    expect(await finish()).toBe(0);
  });
});
