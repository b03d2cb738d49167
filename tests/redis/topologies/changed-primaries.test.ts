import { expect, it, onTestFinished, vi } from 'vitest';
import { StoreUnavailableError } from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { connectNodeRedis } from '../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import { RedisAddress } from '../../../packages/holdfast/src/lib/redis/connection/redis-address.ts';
import type { ConnectRedis } from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { ask, field } from '../../servers/ask.ts';
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
  let stray: RedisServer | undefined;
  const connect: ConnectRedis = async (_address, purpose, signal) => {
    const to = (purpose === 'replication' && stray?.url) || url;
    if (to !== url) stray = undefined;
    const connection = await connectNodeRedis(new RedisAddress({ url: to }), purpose, signal);
    if (purpose === 'commands') connected += 1;
    return connection;
  };
  const place = new SharedNamespace(url, { ...options, connect });
  const sessions = await place.instance();
  return {
    ...{ first, second, promote, sessions, store: sessions.store },
    another: () => place.instance(),
    /** Connections for commands that there have been. */
    connected: () => connected,
    leadTo: (server: RedisServer) => {
      ({ url } = server);
    },
    /** Once, who asks for replicas is led there, as two that share an address are found in turn. */
    leadAstray: (server: RedisServer) => {
      stray = server;
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

it('a replica that is asked for its replicas is left', async () => {
  const { first, second, promote, store, leadTo, leadAstray } = await setUp();
  await store.create('s');
  leadTo(second);
  leadAstray(first);
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

it('who waits for a session is woken by the new primary, whatever the old one hears', async () => {
  const { first, second, sessions, store, another, leadTo } = await setUp({});
  const other = await another();
  await store.create('s');
  const sizes = () => Promise.all([first, second].map(({ port }) => ask(port, 'DBSIZE')));
  // The replica has it.
  await vi.waitUntil(async () => new Set(await sizes()).size === 1, soon);
  leadTo(second);
  await ask(second.port, 'REPLICAOF', 'NO', 'ONE');
  // It follows nobody that it could hear of.
  await ask(first.port, 'REPLICAOF', '127.0.0.1', '1');
  const { lease } = await sessions.begin('s', { leaseMs: 600_000 });
  const waiting = other.begin('s', { leaseMs: 600_000, waitMs: 600_000 });
  await vi.waitUntil(async () => (await store.getStats()).waiters === 1, soon);
  // Only a message wakes it: the lease would last for minutes.
  await store.release(lease);
  const begun = await waiting;
  expect(await other.store.release(begun.lease)).toBe(true);
});
