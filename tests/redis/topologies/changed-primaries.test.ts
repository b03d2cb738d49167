import { expect, it, onTestFinished, vi } from 'vitest';
import { StoreUnavailableError } from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { connectNodeRedis } from '../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import { RedisAddress } from '../../../packages/holdfast/src/lib/redis/connection/redis-address.ts';
import type { ConnectRedis } from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { slotOf } from '../../../packages/holdfast/src/lib/redis/connection/routes/cluster-slots.ts';
import { Gate } from '../../../packages/holdfast/src/lib/testing/suite/suite-context.ts';
import { ask, field } from '../../servers/ask.ts';
import { RedisCluster } from '../../servers/redis-cluster.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { rejection } from '../connection/fixtures.ts';
import { type InstanceOptions, SharedNamespace } from '../support/shared-namespace.ts';

const soon = { timeout: 60_000, interval: 5 };
const replicated = { durability: 'replicated', timeoutMs: 20_000 } as const;

/** Two servers behind one address, of which the first takes the writes. */
async function setUp(options: InstanceOptions = replicated) {
  const args = ['--repl-diskless-sync-delay', '0'];
  const [first, second] = [await startRedis({ args }), await startRedis({ args })];
  for (const server of [first, second]) onTestFinished(() => server.stop());
  /** No connection ends by it. */
  const promote = async (server: RedisServer, other: RedisServer) => {
    await ask(server.port, 'REPLICAOF', 'NO', 'ONE');
    await ask(other.port, 'REPLICAOF', '127.0.0.1', String(server.port));
    const isFollowing = async () =>
      field(await ask(other.port, 'INFO', 'replication'), 'master_link_status') === 'up';
    await vi.waitUntil(isFollowing, soon);
  };
  await promote(first, second);
  let { url } = first;
  let connected = 0;
  const connect: ConnectRedis = async (_address, purpose, signal) => {
    const connection = await connectNodeRedis(new RedisAddress({ url }), purpose, signal);
    if (purpose === 'commands') connected += 1;
    return connection;
  };
  const sessions = await new SharedNamespace(url).instance({ ...options, connect });
  return {
    ...{ first, second, promote, store: sessions.store },
    /** Connections for commands that there have been. */
    connected: () => connected,
    leadTo: (server: RedisServer) => {
      ({ url } = server);
    },
  };
}

it('a primary that has become a replica is left, though its connection goes on', async () => {
  const { first, second, promote, store, leadTo } = await setUp();
  await store.create('s');
  leadTo(second);
  await promote(second, first);
  expect(await store.incrementCounter('s', 'n')).toBe(1);
});

it('a primary that was a replica meanwhile is known again', async () => {
  const { first, second, promote, store, connected } = await setUp();
  await store.create('s');
  await promote(second, first);
  const written = store.incrementCounter('s', 'n');
  // It was refused, and is tried again over another connection.
  await vi.waitUntil(() => connected() > 1, soon);
  await promote(first, second);
  expect(await written).toBe(1);
});

it('a primary that has become a replica is not read from, once that is known', async () => {
  const { first, second, promote, store } = await setUp({ ...replicated, timeoutMs: 2_000 });
  await store.create('s');
  await promote(second, first);
  const calls = [() => store.incrementCounter('s', 'n'), () => store.get('s', { fresh: true })];
  for (const call of calls) {
    const error = await rejection(call());
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(error.message).toContain('is a read-only replica');
  }
});

it('a slot that has left its server holds up no writes to others there', async () => {
  const cluster = await RedisCluster.start({ primaries: 2, replicas: 1 });
  onTestFinished(() => cluster.stop());
  const [from, to] = cluster.primaries;
  if (from === undefined || to === undefined) throw new Error('There are two primaries.');
  const begun = new Gate();
  const gate = new Gate();
  /** The first wait for replicas goes on when the gate opens. */
  const connect: ConnectRedis = async (address, purpose, signal) => {
    const connection = await connectNodeRedis(address, purpose, signal);
    if (purpose !== 'replication' || address.port !== from.port) return connection;
    const send = connection.send.bind(connection);
    connection.send = async (args) => {
      if (args[0] === 'WAIT' && isHeld) {
        begun.open();
        await gate.promise;
      }
      return send(args);
    };
    return connection;
  };
  let isHeld = false;
  const nodes = cluster.addresses;
  const place = new SharedNamespace('redis://cluster', {
    ...{ ...replicated, cluster: { nodes }, connect },
  });
  const { store } = await place.instance();
  const keyOf = (id: string) => place.keys.session(id)[0];
  const slotAt = (id: string) => slotOf(keyOf(id));
  const ids = await idsAt(cluster, from, slotAt);
  const moving = ids.filter((id) => slotAt(id) === slotAt(ids[0] ?? '')).slice(0, 2);
  const staying = ids.find((id) => slotAt(id) !== slotAt(ids[0] ?? '')) ?? '';
  const all = [...moving, staying];
  for (const id of all) await store.create(id);
  isHeld = true;
  const writes = [store.incrementCounter(moving[0] ?? '', 'n')];
  await begun.promise;
  // These wait for the next question.
  for (const id of all.slice(1)) {
    writes.push(store.incrementCounter(id, 'n'));
    const isWritten = async () => (await ask(from.port, 'HGET', keyOf(id), 'n')) === 'n 1';
    await vi.waitUntil(isWritten, soon);
  }
  await cluster.move(slotAt(moving[0] ?? ''), to);
  gate.open();
  expect(await Promise.all(writes)).toEqual([1, 1, 1]);
});

/** Ids of sessions that the server has, of two slots or more. */
async function idsAt(cluster: RedisCluster, server: RedisServer, slotAt: (id: string) => number) {
  const ids: string[] = [];
  for (let n = 0; ids.length < 20; n++) {
    if ((await cluster.ownerOf(slotAt(`s${n}`))) === server) ids.push(`s${n}`);
  }
  return ids;
}
