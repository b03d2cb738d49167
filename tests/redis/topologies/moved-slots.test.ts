import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { OutcomeUnknownError } from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { slotOf } from '../../../packages/holdfast/src/lib/redis/connection/routes/cluster-slots.ts';
import { ask, field } from '../../servers/ask.ts';
import { RawClient } from '../../servers/raw-client.ts';
import { RedisCluster } from '../../servers/redis-cluster.ts';
import type { RedisServer } from '../../servers/redis-server.ts';
import { openedLink, rejection } from '../connection/fixtures.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await RedisCluster.start();
});
afterAll(() => cluster.stop());

const patiently = { timeout: 60_000 };

/** Two names whose slots differ and are the same server's; and the server. */
async function twoAtOne(slotOfName: (name: string) => number) {
  for (;;) {
    const [first, second] = [randomUUID(), randomUUID()];
    const [slot, other] = [slotOfName(first), slotOfName(second)];
    const owner = await cluster.ownerOf(slot);
    if (slot !== other && (await cluster.ownerOf(other)) === owner) return { first, second, owner };
  }
}

/** A slot and its keys go to another primary, which is returned; the old one is told over a connection that it has. */
async function moveAway(slot: number, owner: RedisServer, by: RawClient): Promise<RedisServer> {
  const target = await anotherPrimary(owner);
  const from = await by.send('CLUSTER', 'MYID');
  const to = String(await ask(target.port, 'CLUSTER', 'MYID'));
  await ask(target.port, 'CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', from);
  await by.send('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', to);
  const keys = (await by.send('CLUSTER', 'GETKEYSINSLOT', String(slot), '100')).split(' ');
  const named = keys.filter((key) => key !== '');
  if (named.length > 0) {
    const place = ['127.0.0.1', String(target.port), '""', '0', '5000'];
    expect(await by.send('MIGRATE', ...place, 'KEYS', ...named)).toBe('+OK');
  }
  await ask(target.port, 'CLUSTER', 'SETSLOT', String(slot), 'NODE', to);
  expect(await by.send('CLUSTER', 'SETSLOT', String(slot), 'NODE', to)).toBe('+OK');
  return target;
}

async function anotherPrimary(owner: RedisServer): Promise<RedisServer> {
  const other = cluster.primaries.find((node) => node !== owner);
  if (other === undefined) throw new Error('There are three primaries.');
  return other;
}

describe('one channel that is refused when connections are made again keeps no other from being heard', () => {
  /** Two channels at one server, to which nobody can connect while `meanwhile` goes on. */
  async function afterGap(
    meanwhile: (slot: number, owner: RedisServer, raw: RawClient) => Promise<void>,
  ) {
    const [root = ''] = cluster.addresses;
    const [host = '', port = ''] = root.split(':');
    const roots = [{ host, port: Number(port) }];
    const { link } = await openedLink(`redis://${root}`, {
      topology: { kind: 'cluster', roots, translate: (place) => place },
    });
    const { first, second, owner } = await twoAtOne(slotOf);
    const heard: string[] = [];
    await link.subscribe(first, () => heard.push('first'));
    await link.subscribe(second, () => heard.push('second'));
    const raw = await RawClient.connect(owner.port);
    const limit = (await raw.send('CONFIG', 'GET', 'maxclients')).split(' ')[1] ?? '';
    const open = () => raw.send('CONFIG', 'SET', 'maxclients', limit);
    onTestFinished(async () => void (await open()));
    // Who is connected may go on.
    await raw.send('CONFIG', 'SET', 'maxclients', '1');
    await raw.send('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await meanwhile(slotOf(first), owner, raw);
    await open();
    const isHeard = (by: RawClient, channel: string) =>
      vi.waitUntil(async () => (await by.send('SPUBLISH', channel, 'x')) === ':1', patiently);
    // Confirmed on a connection that is in use.
    await link.subscribe(`beside {${second}}`, () => {});
    await isHeard(raw, second);
    return { first, owner, raw, isHeard, heard };
  }

  it('its slot has gone to another server', async () => {
    let target: RedisServer | undefined;
    const { first, isHeard, heard } = await afterGap(async (slot, owner, raw) => {
      target = await moveAway(slot, owner, raw);
    });
    await isHeard(await RawClient.connect(target?.port ?? 0), first);
    await vi.waitUntil(() => heard.includes('first') && heard.includes('second'), patiently);
  });

  it('its slot has no server', async () => {
    const { first, owner, raw, isHeard, heard } = await afterGap(async (slot, _, by) => {
      expect(await by.send('CLUSTER', 'DELSLOTS', String(slot))).toBe('+OK');
    });
    expect(heard).not.toContain('first');
    const id = await raw.send('CLUSTER', 'MYID');
    for (const { port } of [owner, ...cluster.nodes]) {
      await ask(port, 'CLUSTER', 'SETSLOT', String(slotOf(first)), 'NODE', id).catch(() => {});
    }
    await isHeard(raw, first);
  });
});

describe('a write that waits for a replica', () => {
  /** Two sessions at one server with a replica that is deaf, and a write to the first that waits for it. */
  async function waiting() {
    const nodes = cluster.addresses.slice(0, 2);
    const options = { cluster: { nodes }, durability: 'replicated', timeoutMs: 600_000 } as const;
    const place = new SharedNamespace('redis://cluster', options);
    const [{ store }, { store: reader }] = [
      await place.instance(),
      await place.instance({ durability: 'async' }),
    ];
    const slotOfSession = (id: string) => slotOf(place.keys.session(id)[0]);
    const { first, second, owner } = await twoAtOne(slotOfSession);
    await store.create(first);
    await store.create(second);
    const shard = (await cluster.shards()).find(({ nodes: all }) => all.includes(owner));
    const replica = shard?.nodes.find((node) => node !== owner);
    if (replica === undefined) throw new Error('It has a replica.');
    const raw = await RawClient.connect(owner.port);
    onTestFinished(() => replica.resume());
    await replica.pause();
    const blocked = async () => field(await raw.send('INFO', 'clients'), 'blocked_clients');
    const isThere = (id: string, count: number) =>
      vi.waitUntil(
        async () => (await reader.get(id, { fresh: true }))?.counters.n === count,
        patiently,
      );
    const markOf = (id: string) => place.keys.mark(place.keys.session(id)[0]);
    const one = store.incrementCounter(first, 'n');
    await vi.waitUntil(async () => (await blocked()) === '1', patiently);
    const other = store.incrementCounter(second, 'n', 1, { nonce: 'once' });
    await isThere(second, 1);
    const those = { store, replica, one, other, first, second, owner, raw };
    return { ...those, slotOfSession, markOf, isThere };
  }

  it('is confirmed when the slot of one that waited before it has gone', async () => {
    const { replica, one, other, first, owner, raw, slotOfSession } = await waiting();
    await moveAway(slotOfSession(first), owner, raw);
    replica.resume();
    expect(await Promise.all([one, other])).toEqual([1, 1]);
  });

  it('is confirmed by what another one wrote while its own slot is on its way', async () => {
    const { store, replica, one, other, first, second, owner, raw, ...keys } = await waiting();
    const target = await anotherPrimary(owner);
    const slot = String(keys.slotOfSession(second));
    const to = String(await ask(target.port, 'CLUSTER', 'MYID'));
    await raw.send('DEL', keys.markOf(second));
    await raw.send('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to);
    onTestFinished(async () => {
      await raw.send('CLUSTER', 'SETSLOT', slot, 'STABLE');
    });
    // What waits behind it writes to a slot that stays.
    const third = store.incrementCounter(first, 'n');
    await keys.isThere(first, 2);
    replica.resume();
    expect(await Promise.all([one, other, third])).toEqual([1, 1, 2]);
  });

  it('does not wait for a server that its slot has left', async () => {
    const { store, replica, one, other, second, owner, raw, slotOfSession } = await waiting();
    await moveAway(slotOfSession(second), owner, raw);
    replica.resume();
    expect(await one).toBe(1);
    expect(await rejection(other)).toBeInstanceOf(OutcomeUnknownError);
    // Its new server knows it, and has a replica that confirms it.
    expect(await store.incrementCounter(second, 'n', 1, { nonce: 'once' })).toBe(1);
  });
});
