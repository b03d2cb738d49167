import { expect, it, onTestFinished, vi } from 'vitest';
import {
  OutcomeUnknownError,
  StoreUnavailableError,
} from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { connectNodeRedis } from '../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import type {
  ConnectionPurpose,
  ConnectRedis,
} from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { ask, field } from '../../servers/ask.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { rejection } from '../connection/fixtures.ts';
import { Monitor, nameOf } from '../support/monitor.ts';
import {
  type Instance,
  type InstanceOptions,
  SharedNamespace,
} from '../support/shared-namespace.ts';

const soon = { timeout: 60_000, interval: 5 };
const replicated = { durability: 'replicated', timeoutMs: 20_000 } as const;

/** Two servers behind one address, of which the first takes the writes. */
async function setUp(options: InstanceOptions = replicated, rules: readonly string[] = []) {
  const args = ['--repl-diskless-sync-delay', '0'];
  const [first, second] = [await startRedis({ args }), await startRedis({ args })];
  for (const server of [first, second]) {
    onTestFinished(() => server.stop());
    if (rules.length > 0) await ask(server.port, 'ACL', 'SETUSER', 'app', ...rules);
  }
  /** No connection ends by it. */
  const promote = async (server: RedisServer, other: RedisServer) => {
    await ask(server.port, 'REPLICAOF', 'NO', 'ONE');
    await ask(other.port, 'REPLICAOF', '127.0.0.1', String(server.port));
    const isFollowing = async () =>
      field(await ask(other.port, 'INFO', 'replication'), 'master_link_status') === 'up';
    await vi.waitUntil(isFollowing, soon);
  };
  await promote(first, second);
  let { port } = first;
  let connected = 0;
  let stray: { port: number; purpose: ConnectionPurpose } | undefined;
  let ready = Promise.resolve();
  const connect: ConnectRedis = async (address, purpose, signal) => {
    const to = purpose === stray?.purpose ? stray.port : port;
    if (to !== port) stray = undefined;
    const connection = await connectNodeRedis(address.at('127.0.0.1', to), purpose, signal);
    if (purpose === 'commands') connected += 1;
    if (purpose === 'subscriptions') await ready;
    return connection;
  };
  const place = new SharedNamespace(first.url, { ...options, connect });
  const sessions = await place.instance();
  return {
    ...{ first, second, promote, sessions, store: sessions.store },
    another: () => place.instance(),
    /** Connections for commands that there have been. */
    connected: () => connected,
    leadTo: (server: RedisServer) => {
      ({ port } = server);
    },
    /** Once, a connection for this is led there, as two that share an address are found in turn. */
    leadAstray: ({ port }: RedisServer, purpose: ConnectionPurpose) => {
      stray = { port, purpose };
    },
    /** From now on connections for messages are made, and not ready before the returned function is called. */
    holdSubscriptions: () => {
      let release = () => {};
      ready = new Promise((resolve) => {
        release = resolve;
      });
      return () => release();
    },
    /** The new primary is `second` alone, and `first` follows nobody that it could hear of. */
    failOver: async () => {
      await hasAll(first, second);
      port = second.port;
      await ask(second.port, 'REPLICAOF', 'NO', 'ONE');
      await ask(first.port, 'REPLICAOF', '127.0.0.1', '1');
    },
  };
}

/** Resolves when the replica has as many keys as its primary. */
async function hasAll(...servers: readonly RedisServer[]): Promise<void> {
  const sizes = () => Promise.all(servers.map(({ port }) => ask(port, 'DBSIZE')));
  await vi.waitUntil(async () => new Set(await sizes()).size === 1, soon);
}

/** Connections that have subscribed to something. */
async function subscribers(...servers: readonly RedisServer[]): Promise<number> {
  const lists = await Promise.all(servers.map(({ port }) => ask(port, 'CLIENT', 'LIST')));
  return String(lists).match(/ name=holdfast-subscriptions .* sub=[1-9]/g)?.length ?? 0;
}

/** One has the session, the other one waits for it: only a message wakes it, for the lease would last for minutes. */
async function handOver(one: Instance, other: Instance): Promise<void> {
  const { lease } = await one.begin('s', { leaseMs: 600_000 });
  const waiting = other.begin('s', { leaseMs: 600_000, waitMs: 600_000 });
  await vi.waitUntil(async () => (await one.store.getStats()).waiters === 1, soon);
  await one.store.release(lease);
  expect(await other.store.release((await waiting).lease)).toBe(true);
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
  leadAstray(first, 'replication');
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

it('a primary that was a replica meanwhile, unnoticed, is known again when it is asked for its replicas', async () => {
  const { first, second, promote, store } = await setUp();
  await store.create('s');
  await promote(second, first);
  await promote(first, second);
  const clients = String(await ask(first.port, 'CLIENT', 'LIST'));
  const id = /^id=(\d+) .* name=holdfast-replication /m.exec(clients)?.[1] ?? '';
  expect(await ask(first.port, 'CLIENT', 'KILL', 'ID', id)).toBe(1);
  // Nobody knows whether the replica has it that the server had before.
  const increment = () => store.incrementCounter('s', 'n', 1, { nonce: 'once' });
  expect(await rejection(increment())).toBeInstanceOf(OutcomeUnknownError);
  expect(await increment()).toBe(1);
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
  const { sessions, store, another, failOver } = await setUp({});
  const other = await another();
  await store.create('s');
  await failOver();
  await handOver(sessions, other);
});

it('who is led back to the old primary for messages leaves it again', async () => {
  const { first, second, sessions, store, another, failOver, leadAstray } = await setUp({});
  const other = await another();
  await store.create('s');
  await failOver();
  await store.incrementCounter('s', 'n');
  await vi.waitUntil(async () => (await subscribers(second)) === 1, soon);
  leadAstray(first, 'subscriptions');
  await other.store.incrementCounter('s', 'n');
  await vi.waitUntil(async () => (await subscribers(first, second)) === 2, soon);
  await handOver(sessions, other);
});

it.each([
  ['', []],
  [', also where nobody may ask which server it is', ['-info']],
])('who was on the way to the old primary for messages does not stay there%s', async (_, rules) => {
  const user = { username: 'app', password: 'secret' };
  const { first, second, sessions, store, another, failOver, holdSubscriptions } = await setUp(
    user,
    [...['on', '>secret', '~*', '&*', '+@all'], ...rules],
  );
  const other = await another();
  await store.create('s');
  const release = holdSubscriptions();
  await ask(first.port, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
  const connecting = async () => String(await ask(first.port, 'CLIENT', 'LIST'));
  const both = / name=holdfast-subscriptions /g;
  await vi.waitUntil(async () => (await connecting()).match(both)?.length === 2, soon);
  await failOver();
  for (const { store } of [sessions, other]) await store.incrementCounter('s', 'n');
  release();
  await vi.waitUntil(async () => (await subscribers(first, second)) === 2, soon);
  await handOver(sessions, other);
});

it('who was told to wait by the old primary alone asks the new one, though it hears that one already', async () => {
  const { first, second, sessions, store, another, leadTo } = await setUp({});
  const other = await another();
  await store.create('s');
  const { lease } = await sessions.begin('s', { leaseMs: 600_000 });
  await hasAll(first, second);
  await ask(second.port, 'REPLICAOF', 'NO', 'ONE');
  const monitor = await Monitor.of(first.port);
  const waiting = other.begin('s', { leaseMs: 600_000, waitMs: 600_000 });
  const begins = async () => (await monitor.take()).map(nameOf).includes('begin');
  await vi.waitUntil(begins, soon);
  await vi.waitUntil(async () => (await store.getStats()).waiters === 1, soon);
  leadTo(second);
  await ask(first.port, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
  // It asks again when its messages may have been missed, and is told so by the old primary.
  await vi.waitUntil(begins, soon);
  await ask(first.port, 'REPLICAOF', '127.0.0.1', '1');
  await ask(first.port, 'CLIENT', 'KILL', 'TYPE', 'normal');
  await store.release(lease);
  expect(await other.store.release((await waiting).lease)).toBe(true);
});
