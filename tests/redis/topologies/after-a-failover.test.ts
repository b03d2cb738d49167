import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { LeaseLostError } from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { connectNodeRedis } from '../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import { RedisAddress } from '../../../packages/holdfast/src/lib/redis/connection/redis-address.ts';
import type { ConnectRedis } from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { Gate } from '../../../packages/holdfast/src/lib/testing/suite/suite-context.ts';
import { ask, field } from '../../servers/ask.ts';
import { startRedis } from '../../servers/redis-server.ts';
import { rejection } from '../connection/fixtures.ts';
import { encrypting } from '../support/encryption.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';

const soon = { timeout: 60_000, interval: 5 };

/** A primary and its replica, which takes over without what came last. */
async function setUp() {
  const primary = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
  onTestFinished(() => primary.stop());
  const replica = await startRedis({ args: ['--replicaof', `127.0.0.1 ${primary.port}`] });
  onTestFinished(() => replica.stop());
  const place = new SharedNamespace(primary.url);
  let { url } = primary;
  const connect: ConnectRedis = (_address, purpose, signal) =>
    connectNodeRedis(new RedisAddress({ url }), purpose, signal);
  const offsetOf = async (port: number, name: string) =>
    field(await ask(port, 'INFO', 'replication'), name);
  return {
    instance: () => place.instance({ connect, l1: {}, codec: encrypting(place.keyPrefix) }),
    /** The replica has all there is, and gets nothing more. */
    cutTheReplica: async () => {
      const isUpToDate = async () =>
        (await offsetOf(replica.port, 'master_link_status')) === 'up' &&
        (await offsetOf(replica.port, 'slave_repl_offset')) ===
          (await offsetOf(primary.port, 'master_repl_offset'));
      await vi.waitUntil(isUpToDate, soon);
      await ask(replica.port, 'REPLICAOF', 'NO', 'ONE');
    },
    failOver: async () => {
      ({ url } = replica);
      await primary.kill('SIGKILL');
    },
  };
}

describe('at a replica that has lost the last writes', () => {
  it('a version that comes again is not taken for the old state', async () => {
    const { instance, cutTheReplica, failOver } = await setUp();
    const [one, other] = [await instance(), await instance()];
    await one.store.create('s', { metadata: { at: 'first' } });
    await cutTheReplica();
    const lost = await one.store.update('s', { metadata: { at: 'lost' } });
    await failOver();
    const kept = await other.store.update('s', { metadata: { at: 'kept' } });
    expect(kept.version).toBe(lost.version);
    const begunWith = await one.turn('s', async ({ session }) => session.metadata.at as string);
    expect(begunWith).toBe('kept');
    expect((await one.store.get('s'))?.metadata).toEqual({ at: 'kept' });
  });

  it('who waits asks again, and a holder whose lease is not there is refused', async () => {
    const { instance, cutTheReplica, failOver } = await setUp();
    const [one, other] = [await instance(), await instance()];
    await one.store.create('s');
    await cutTheReplica();
    const gate = new Gate();
    const begun = new Gate();
    const held = rejection(
      one.turn('s', async (turn) => {
        begun.open();
        await gate.promise;
        turn.append({ role: 'user', content: 'of the holder' });
      }),
    );
    await begun.promise;
    const waited = other.turn('s', (turn) => {
      turn.append({ role: 'user', content: 'of the one who waited' });
    });
    await vi.waitUntil(async () => (await one.store.getStats()).waiters === 1, soon);
    await failOver();
    await waited;
    gate.open();
    expect(await held).toBeInstanceOf(LeaseLostError);
    const messages = await other.store.messages('s');
    expect(messages.map(({ content }) => content)).toEqual(['of the one who waited']);
  });

  it('fencing tokens go on from where they were', async () => {
    const { instance, cutTheReplica, failOver } = await setUp();
    const one = await instance();
    await one.store.create('s');
    await cutTheReplica();
    let last = 0;
    for (let n = 0; n < 20; n++) {
      const { lease } = await one.begin('s');
      expect(lease.fence).toBeGreaterThan(last);
      last = lease.fence;
      await one.store.release(lease);
    }
    await failOver();
    expect((await one.begin('s')).lease.fence).toBeGreaterThan(last);
  });
});
