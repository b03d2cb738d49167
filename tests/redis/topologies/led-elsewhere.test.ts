import { expect, it, vi } from 'vitest';
import { ask, field } from '../../servers/ask.ts';
import { startedRedis } from '../connection/fixtures.ts';
import { TcpProxy } from '../connection/tcp-proxy.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';

/** A primary and a replica, and a name that leads to the primary, as a managed Redis has one. */
async function named() {
  const args = ['--repl-diskless-sync-delay', '0'];
  const [old, next] = [await startedRedis({ args }), await startedRedis({ args })];
  const follow = async (port: number, primary: number) => {
    await ask(port, 'REPLICAOF', '127.0.0.1', String(primary));
    const isUp = async () =>
      field(await ask(port, 'INFO', 'replication'), 'master_link_status') === 'up';
    await vi.waitUntil(isUp, { timeout: 60_000 });
  };
  await follow(next.port, old.port);
  const name = await TcpProxy.to(old.port);
  /** The name leads to the replica, which is promoted; connections to the old primary stay open. */
  const failOver = async () => {
    name.leadTo(next.port);
    await ask(next.port, 'REPLICAOF', 'NO', 'ONE');
  };
  return { old, next, name, follow, failOver };
}

it('a replica of the new primary confirms what is written there', async () => {
  const { old, next, name, follow, failOver } = await named();
  // A question that is asked of the old one again and again would last for minutes.
  const place = new SharedNamespace(name.url, { durability: 'replicated', timeoutMs: 600_000 });
  const { store } = await place.instance();
  await store.create('s');
  await failOver();
  await follow(old.port, next.port);
  expect(await store.incrementCounter('s', 'n', 1)).toBe(1);
});

it('who waits for a session is woken by the new primary, whatever the old one hears', async () => {
  const { old, name, failOver } = await named();
  const place = new SharedNamespace(name.url);
  const [one, other] = [await place.instance(), await place.instance()];
  await one.store.create('s');
  await failOver();
  // It follows nobody that it could hear of.
  await ask(old.port, 'REPLICAOF', '127.0.0.1', '1');
  const { lease } = await one.begin('s', { leaseMs: 600_000 });
  const waiting = other.begin('s', { leaseMs: 600_000, waitMs: 600_000 });
  await vi.waitUntil(async () => (await one.store.getStats()).waiters === 1, { timeout: 60_000 });
  // Only a message wakes it: the lease would last for minutes.
  await one.store.release(lease);
  const second = await waiting;
  expect(await other.store.release(second.lease)).toBe(true);
});
