import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { slotOf } from '../../../packages/holdfast/src/lib/redis/connection/routes/cluster-slots.ts';
import { ask } from '../../servers/ask.ts';
import { RedisCluster } from '../../servers/redis-cluster.ts';
import { startRedis } from '../../servers/redis-server.ts';
import { type InstanceOptions, SharedNamespace } from '../support/shared-namespace.ts';

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await RedisCluster.start({ replicas: 0 });
});
afterAll(() => cluster.stop());

const ids = Array.from({ length: 24 }, (_, at) => `s${at}`);

function placeOn(options: InstanceOptions = {}): SharedNamespace {
  const nodes = cluster.addresses.slice(0, 2);
  return new SharedNamespace('redis://cluster', { cluster: { nodes }, l1: {}, ...options });
}

describe('on a cluster', () => {
  it('a waiter is woken, and what is kept is heard of, where a slot has moved to', async () => {
    const place = placeOn();
    const [one, other] = [await place.instance(), await place.instance()];
    await one.store.create('s');
    const slot = slotOf(place.keys.session('s')[0]);
    const warm = async () => (await other.store.get('s'))?.counters.n;
    await one.store.incrementCounter('s', 'n');
    await vi.waitUntil(async () => (await warm()) === 1, { timeout: 60_000 });
    const from = await cluster.ownerOf(slot);
    const target = cluster.primaries.find((node) => node !== from);
    if (target === undefined) throw new Error('There are three primaries.');
    const grant = await one.begin('s', { leaseMs: 600_000 });
    const waiting = other.begin('s', { leaseMs: 600_000, waitMs: 600_000 });
    await vi.waitUntil(async () => (await one.store.getStats()).waiters === 1, { timeout: 60_000 });
    await cluster.move(slot, target);
    // Only a message wakes it: the lease would last for minutes.
    await one.store.release(grant.lease);
    const second = await waiting;
    await other.store.release(second.lease);
    for (let n = 2; n < 5; n++) {
      await one.store.incrementCounter('s', 'n');
      await vi.waitUntil(async () => (await warm()) === n, { timeout: 60_000 });
    }
  });

  it('an instance that has not heard of a move begins where the slot is now', async () => {
    const place = placeOn();
    const [one, other] = [await place.instance(), await place.instance()];
    await one.store.create('s');
    const slotOfSession = (id: string) => slotOf(place.keys.session(id)[0]);
    const slot = slotOfSession('s');
    const from = await cluster.ownerOf(slot);
    const target = cluster.primaries.find((node) => node !== from);
    if (target === undefined) throw new Error('There are three primaries.');
    // It hears messages of the server already.
    for (const id of ids) {
      const isBeside =
        slotOfSession(id) !== slot && (await cluster.ownerOf(slotOfSession(id))) === from;
      if (!isBeside) continue;
      await one.store.create(id);
      await other.turn(id, async () => {});
    }
    await cluster.move(slot, target);
    // The first that it asks of the slot is to subscribe to its own inbox there.
    const { lease } = await other.begin('s');
    expect(await other.store.release(lease)).toBe(true);
  });

  it('a begin waits as other calls do until its slot has a server again', async () => {
    const place = placeOn({ timeoutMs: 600_000 });
    const [one, other] = [await place.instance(), await place.instance()];
    await one.store.create('s');
    const slot = slotOf(place.keys.session('s')[0]);
    const owner = await cluster.ownerOf(slot);
    const id = String(await ask(owner.port, 'CLUSTER', 'MYID'));
    const refused = async () => {
      const stats = String(await ask(owner.port, 'INFO', 'commandstats'));
      return Number(/^cmdstat_ssubscribe:.*rejected_calls=(\d+)/m.exec(stats)?.[1] ?? 0);
    };
    const before = await refused();
    await Promise.all(
      cluster.nodes.map(({ port }) => ask(port, 'CLUSTER', 'DELSLOTS', String(slot))),
    );
    const begun = other.begin('s');
    await vi.waitUntil(async () => (await refused()) > before, { timeout: 60_000 });
    await Promise.all(
      cluster.nodes.map(({ port }) => ask(port, 'CLUSTER', 'SETSLOT', String(slot), 'NODE', id)),
    );
    const { lease } = await begun;
    expect(await other.store.release(lease)).toBe(true);
  });

  it('scripts that a primary has lost are loaded into it again', async () => {
    const { store } = await placeOn().instance();
    for (const id of ids) await store.create(id);
    for (const node of cluster.nodes) await ask(node.port, 'SCRIPT', 'FLUSH');
    const counts = await Promise.all(ids.map((id) => store.incrementCounter(id, 'n')));
    expect(counts).toEqual(ids.map(() => 1));
  });

  it('counting, listing and cleaning go over all primaries', async () => {
    const { store } = await placeOn({ idleTimeoutMs: 600_000 }).instance();
    const names = Array.from({ length: 60 }, (_, at) => `n${at}`);
    await Promise.all(names.map((id) => store.create(id, { userId: 'u' })));
    expect(await store.countActive()).toBe(60);
    const { sessions } = await store.listActive({ limit: 200, userId: 'u' });
    expect(sessions.map(({ id }) => id).toSorted()).toEqual(names.toSorted());
    expect(await store.deleteUser('u')).toBe(60);
    expect(await store.countActive()).toBe(0);
  });

  it('a server that is no node of one is refused by name', async () => {
    const single = await startRedis();
    onTestFinished(() => single.stop());
    const place = new SharedNamespace('redis://cluster', {
      cluster: { nodes: [`127.0.0.1:${single.port}`] },
    });
    await expect(place.instance()).rejects.toThrow(/is no node of a cluster/);
  });
});
