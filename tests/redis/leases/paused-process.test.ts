import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LeaseLostError } from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { rejection } from '../connection/fixtures.ts';
import { InstanceProgram } from '../support/failovers/instance-process.ts';
import { Valve } from '../support/lines/valve.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';

let server: RedisServer;
let program: InstanceProgram;
beforeAll(async () => {
  [server, program] = await Promise.all([startRedis(), InstanceProgram.build()]);
});
afterAll(async () => {
  program.remove();
  await server.stop();
});

const leaseMs = 1_000;

describe('a process that stood still for longer than its lease', () => {
  it('writes nothing of its turn, is told that the lease was lost, and works on', async () => {
    const place = new SharedNamespace(server.url);
    const sessions = await place.instance();
    await sessions.store.create('s');
    const paused = await program.start({
      store: { url: server.url, keyPrefix: place.keyPrefix },
      leaseMs,
    });
    paused.turn('stale', 's');
    await paused.says('working', 'stale');
    await paused.pause();
    await sessions.turn('s', async (turn) =>
      turn.append({ role: 'assistant', content: 'taken over' }),
    );
    // Both at once: its commit is on its way when it learns of anything.
    paused.go('stale');
    paused.resume();
    expect(await paused.says('failed', 'stale')).toMatchObject({ code: 'LEASE_LOST' });
    const history = await sessions.store.messages('s');
    expect(history.map(({ content }) => content)).toEqual(['taken over']);
    expect((await sessions.store.get('s'))?.messageCount).toBe(0);
    // It is none the worse for it.
    paused.turn('fresh', 's');
    await paused.says('working', 'fresh');
    paused.go('fresh');
    await paused.says('done', 'fresh');
  });

  it('has its signal aborted where its work goes on', async () => {
    const place = new SharedNamespace(server.url);
    const sessions = await place.instance();
    await sessions.store.create('s');
    const paused = await program.start({
      store: { url: server.url, keyPrefix: place.keyPrefix },
      leaseMs,
    });
    paused.turn('stale', 's');
    await paused.says('working', 'stale');
    await paused.pause();
    await sessions.turn('s', async () => {});
    paused.resume();
    expect(await paused.says('aborted', 'stale')).toMatchObject({ code: 'LEASE_LOST' });
    expect(await paused.says('failed', 'stale')).toMatchObject({ code: 'LEASE_LOST' });
  });

  it('is refused by Redis itself, whatever it believes', async () => {
    const place = new SharedNamespace(server.url);
    const [one, other] = [await place.instance(), await place.instance()];
    await one.store.create('s');
    const stale = await one.begin('s', { leaseMs: 100 });
    const next = await other.begin('s');
    expect(next.lease.fence).toBeGreaterThan(stale.lease.fence);
    const end = { keep: false, outcome: undefined } as const;
    const changes = { nonce: 'n', increments: new Map([['messageCount', 1]]) };
    await expect(one.store.commit(stale.lease, changes, end)).rejects.toThrow(LeaseLostError);
    await expect(one.store.renew(stale.lease, 30_000)).rejects.toThrow(LeaseLostError);
    await expect(one.store.emit(stale.lease, [], 'm')).rejects.toThrow(LeaseLostError);
    expect(await one.store.release(stale.lease)).toBe(false);
    // Not even one that was never taken over may be used again.
    await other.store.release(next.lease);
    await expect(one.store.commit(stale.lease, changes, end)).rejects.toThrow(LeaseLostError);
    expect(await other.store.get('s')).toMatchObject({ version: 1, messageCount: 0 });
  });
});

describe('a holder whose renewals do not get through', () => {
  it('has its signal aborted before its lease can have ended', async () => {
    const place = new SharedNamespace(server.url);
    const valve = await Valve.to(server.port);
    const cutOff = await place.instance({ url: valve.url, leaseMs: 2_000, timeoutMs: 60_000 });
    const sessions = await place.instance();
    await sessions.store.create('s');
    let abortedAt = Number.POSITIVE_INFINITY;
    const turn = rejection(
      cutOff.turn('s', async (running) => {
        running.append({ role: 'user', content: 'stale' });
        await new Promise<void>((resolve) => {
          running.signal.addEventListener('abort', () => {
            abortedAt = performance.now();
            resolve();
          });
          valve.shut();
        });
      }),
    );
    await vi.waitUntil(() => valve.isShut, { timeout: 60_000, interval: 1 });
    let takenOverAt = 0;
    await sessions.turn('s', async () => {
      takenOverAt = performance.now();
    });
    expect(abortedAt).toBeLessThan(takenOverAt);
    valve.open();
    expect(await turn).toBeInstanceOf(LeaseLostError);
    expect(await sessions.store.messages('s')).toEqual([]);
  });
});
