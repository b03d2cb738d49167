import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { slotOf } from '../../../packages/holdfast/src/lib/redis/connection/cluster-slots.ts';
import type { Durability } from '../../../packages/holdfast/src/lib/redis/redis-options.ts';
import { ask } from '../../servers/ask.ts';
import { RedisCluster } from '../../servers/redis-cluster.ts';
import type { RedisServer } from '../../servers/redis-server.ts';
import { encrypting } from '../support/encryption.ts';
import { FailoverLedger } from '../support/failover-ledger.ts';
import { type InstanceOptions, SharedNamespace } from '../support/shared-namespace.ts';

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

const ids = Array.from({ length: 24 }, (_, at) => `s${at}`);

function placeOn(options: InstanceOptions = {}): SharedNamespace {
  return new SharedNamespace('redis://cluster', {
    ...{ cluster: { nodes: cluster.addresses.slice(0, 2) }, l1: {}, leaseMs: 3_000 },
    ...{ maxMessages: 100_000, ...options },
  });
}

/** Where a session's keys are. */
const slotIn = (place: SharedNamespace, id: string) => slotOf(place.keys.session(id)[0]);

/** A primary that does not have the slot. */
async function anotherPrimary(slot: number): Promise<RedisServer> {
  const from = await cluster.ownerOf(slot);
  const owners = await Promise.all([0, 6_000, 12_000].map((at) => cluster.ownerOf(at)));
  const other = owners.find((node) => node !== from);
  if (other === undefined) throw new Error('One primary has all slots.');
  return other;
}

/** Two instances that write to some sessions while something happens to the servers. */
async function scene(durability: Durability) {
  const place = placeOn({ durability });
  const options = { codec: encrypting(place.keyPrefix) };
  const instances = [await place.instance(options), await place.instance(options)];
  const [one, other] = instances;
  if (one === undefined || other === undefined) throw new Error('There are two instances.');
  for (const id of ids) await one.store.create(id);
  const ledger = new FailoverLedger();
  const writing = ids.flatMap((id) => instances.map((instance) => ledger.write(instance, id)));
  await ledger.more();
  const slot = slotIn(place, 's0');
  const finish = async () => {
    await ledger.more();
    ledger.stop();
    await Promise.all(writing);
    const lost = await ledger.check(other, ids);
    const { length } = ledger.acknowledged;
    console.log(
      `${durability}: ${lost} of ${length} lost; met ${JSON.stringify([...ledger.errors])}`,
    );
    return lost;
  };
  /** Another server has the slot now. */
  const failedOver = (from: RedisServer) =>
    vi.waitUntil(
      async () => {
        const other = cluster.nodes.find((node) => node !== from);
        const slots = await ask(other?.port ?? 0, 'CLUSTER', 'SLOTS');
        const ranges = slots as unknown as [number, number, [string, number]][];
        return ranges.some(([a, b, [, port]]) => a <= slot && slot <= b && port !== from.port);
      },
      { timeout: 60_000, interval: 50 },
    );
  return { place, one, other, slot, ledger, finish, failedOver };
}

describe.each(['replicated', 'async'] as const)('on a cluster, %s', (durability) => {
  it('turns go on at the replica that follows a killed primary', async () => {
    const { slot, ledger, finish, failedOver } = await scene(durability);
    const owner = await cluster.ownerOf(slot);
    await owner.kill('SIGKILL');
    await failedOver(owner);
    await ledger.more();
    // Its slots have no replica until it is back: `replicated` acknowledges nothing there.
    await owner.restart();
    const lost = await finish();
    if (durability === 'replicated') expect(lost).toBe(0);
  });

  it('turns go on when a primary stops answering, and when it wakes', async () => {
    const { slot, ledger, finish, failedOver } = await scene(durability);
    const owner = await cluster.ownerOf(slot);
    await owner.pause();
    await failedOver(owner);
    await ledger.more();
    owner.resume();
    const lost = await finish();
    if (durability === 'replicated') expect(lost).toBe(0);
  });

  it('a slot moves under its turns, and nothing is lost', async () => {
    const { slot, ledger, finish } = await scene(durability);
    const target = await anotherPrimary(slot);
    await cluster.move(slot, target, () => ledger.more());
    expect(await cluster.ownerOf(slot)).toBe(target);
    expect(await finish()).toBe(0);
  });
});

describe('on a cluster', () => {
  it('all nodes are restarted one after the other, and nothing is lost', async () => {
    const { ledger, finish } = await scene('async');
    for (const node of cluster.nodes) {
      await node.restart();
      await cluster.ready();
      await ledger.more();
    }
    expect(await finish()).toBe(0);
  });
});
