import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TurnInterruptedError } from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { connectNodeRedis } from '../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import { RedisAddress } from '../../../packages/holdfast/src/lib/redis/connection/redis-address.ts';
import type { ConnectRedis } from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { parseHeader } from '../../../packages/holdfast/src/lib/redis/layout/header.ts';
import {
  type FakeTimeRedis,
  type RedisServer,
  startRedis,
  startRedisOnFakeTime,
} from '../../servers/redis-server.ts';
import { rejection } from '../connection/fixtures.ts';
import { InstanceProgram } from '../support/failovers/instance-process.ts';
import { flakyProxyForTest } from '../support/lines/flaky-proxy.ts';
import { Valve } from '../support/lines/valve.ts';
import { type InstanceOptions, SharedNamespace } from '../support/shared-namespace.ts';

let server: RedisServer;
/** Its time stands still unless a test moves it: there no claim lapses, however slow the machine is. */
let timeless: FakeTimeRedis;
let time = Date.UTC(2030, 0, 1);
let program: InstanceProgram;
beforeAll(async () => {
  [server, timeless, program] = await Promise.all([
    startRedis(),
    startRedisOnFakeTime({ time }),
    InstanceProgram.build(),
  ]);
});
afterAll(async () => {
  program.remove();
  await Promise.all([server.stop(), timeless.stop()]);
});

/** Every lease is so long that nothing here may wait for its end, unless a test says otherwise. */
const leaseMs = 30_000;
const muchLessThanLease = leaseMs / 2;

async function setUp({ url }: RedisServer = server) {
  const place = new SharedNamespace(url, { leaseMs });
  const ask = await place.asking();
  const [session, queue] = place.keys.session('s');
  const eventually = (condition: () => Promise<boolean>) =>
    vi.waitUntil(condition, { timeout: 60_000, interval: 1 });
  const waiting = (count: number) =>
    eventually(async () => (await ask('ZCARD', queue)) === String(count));
  const header = async () => parseHeader(String(await ask('HGET', session, 'h')));
  const child = () => program.start({ store: { url, keyPrefix: place.keyPrefix }, leaseMs });
  return { place, ask, eventually, waiting, header, child };
}

describe('who waits for a session', () => {
  it('gets it in the order of asking, of whatever instance', async () => {
    const { place, waiting } = await setUp(timeless);
    const instances = [await place.instance(), await place.instance(), await place.instance()];
    const [first] = instances;
    if (first === undefined) throw new Error('There is no instance.');
    await first.store.create('s');
    const holder = await first.begin('s');
    const order: number[] = [];
    const turns: Promise<void>[] = [];
    for (let index = 0; index < 90; index += 1) {
      // Not in turn: some ask twice in a row, and so the holder's own instance is between others.
      const sessions = instances[(index * index) % 3] ?? first;
      turns.push(
        sessions.turn('s', async () => {
          order.push(index);
        }),
      );
      await waiting(index + 1);
    }
    await first.store.release(holder.lease);
    await Promise.all(turns);
    expect(order).toEqual(Array.from({ length: 90 }, (_, index) => index));
  });

  it('is skipped when its process is dead', async () => {
    const { place, ask, eventually, waiting, header, child } = await setUp(timeless);
    const sessions = await place.instance();
    await sessions.store.create('s');
    const holder = await sessions.begin('s');
    const dead = await child();
    const subscribers = async () =>
      String(await ask('CLIENT', 'LIST')).split('name=holdfast-subscriptions ').length - 1;
    const before = await subscribers();
    dead.turn('dead', 's');
    await waiting(1);
    const next = sessions.begin('s', { nonce: 'next' });
    await waiting(2);
    await dead.kill();
    // The server has seen that its connections ended.
    await eventually(async () => (await subscribers()) === before - 1);
    await sessions.store.release(holder.lease);
    // In the very step in which the lease was given up.
    expect((await header()).owner).toBe('next');
    await next;
  });

  it.each([
    ['those behind it', false],
    ['those behind it, and then who comes now', true],
  ])(
    'is passed over for %s when its process stands still, and gets its turn when it goes on',
    async (_, comes) => {
      const { place, waiting, header, child } = await setUp(timeless);
      const sessions = await place.instance();
      await sessions.store.create('s');
      const holder = await sessions.begin('s');
      const paused = await child();
      const order: string[] = [];
      paused.turn('paused', 's');
      await waiting(1);
      const others = ['second', 'third'].map(async (name, index) => {
        await waiting(index + 1);
        await sessions.turn('s', async () => {
          order.push(name);
        });
      });
      await waiting(3);
      await paused.pause();
      const releasedAt = performance.now();
      await sessions.store.release(holder.lease);
      expect(await header()).toMatchObject({ unclaimed: true });
      // Who comes while it is granted and not claimed does not pass those who wait.
      if (comes) {
        others.push(
          sessions.turn('s', async () => {
            order.push('newcomer');
          }),
        );
        await waiting(3);
      }
      // The claim's own short lease ends, and not the whole one.
      time += 2_001;
      timeless.setTime(time);
      await Promise.all(others);
      expect(performance.now() - releasedAt).toBeLessThan(muchLessThanLease);
      expect(order).toEqual(['second', 'third', ...(comes ? ['newcomer'] : [])]);
      paused.resume();
      expect(await paused.says('working', 'paused')).toMatchObject({ attempt: 1 });
      paused.go('paused');
      await paused.says('done', 'paused');
      expect((await sessions.store.messages('s')).map(({ content }) => content)).toEqual([
        'paused',
      ]);
    },
  );

  it('may give up just as it gets the session, and leaves it to the next', async () => {
    const { place, waiting } = await setUp();
    const [one, other] = [await place.instance(), await place.instance()];
    await one.store.create('s');
    const since = performance.now();
    for (let round = 0; round < 20; round += 1) {
      const holder = await one.begin('s');
      const leaving = new AbortController();
      let ran = false;
      const waited = other
        .turn('s', { signal: leaving.signal }, async () => {
          ran = true;
        })
        .then(
          () => 'done',
          (reason: unknown) => reason,
        );
      await waiting(1);
      const released = one.store.release(holder.lease);
      // A little later each time: before the grant, with it, and behind it.
      for (let tick = 0; tick < round; tick += 1) await Promise.resolve();
      if (round % 2 === 1) await released;
      leaving.abort('left');
      expect(['done', 'left']).toContain(await waited);
      if (!ran) expect(await waited).toBe('left');
      await released;
      await one.turn('s', async () => {});
    }
    expect(performance.now() - since).toBeLessThan(20 * muchLessThanLease);
    expect(await one.store.getStats()).toMatchObject({ activeLeases: 0, waiters: 0 });
  });
});

describe('a wake-up that is lost', () => {
  /** Only what is published goes this way. */
  const hearingBy =
    (url: string): ConnectRedis =>
    (address, purpose, signal) =>
      connectNodeRedis(
        purpose === 'subscriptions' ? new RedisAddress({ url }) : address,
        purpose,
        signal,
      );

  it('with its connection is made up for when there is one again', async () => {
    const { place, ask, waiting } = await setUp();
    const proxy = await flakyProxyForTest(server.port, { rate: 0 });
    const connect = hearingBy(proxy.url);
    const [one, other] = [await place.instance(), await place.instance({ connect })];
    await one.store.create('s');
    const holder = await one.begin('s');
    const waited = other.turn('s', async () => performance.now());
    await waiting(1);
    proxy.refuse();
    await ask('CLIENT', 'KILL', 'TYPE', 'pubsub');
    const releasedAt = performance.now();
    await one.store.release(holder.lease);
    // Nobody heard of the grant, so it was not made.
    await waiting(0);
    proxy.accept();
    expect((await waited) - releasedAt).toBeLessThan(muchLessThanLease);
  });

  it('without a sign is made up for when the lease would have ended', async () => {
    const { place, waiting } = await setUp();
    const valve = await Valve.to(server.port);
    const deaf: InstanceOptions = { connect: hearingBy(valve.url), timeoutMs: 600_000 };
    const [one, other] = [await place.instance(), await place.instance(deaf)];
    await one.store.create('s');
    const holder = await one.begin('s', { leaseMs: 3_000 });
    const attempts: number[] = [];
    const waited = other.turn('s', { idempotencyKey: 'k' }, async (turn) => {
      attempts.push(turn.attempt);
    });
    await waiting(1);
    valve.shut();
    await one.store.release(holder.lease);
    await waited;
    expect(attempts).toEqual([1]);
    expect(valve.isShut).toBe(true);
  });
});

describe('an interruption', () => {
  it('reaches a holder at another instance, whose one commit within the grace is kept', async () => {
    const { place } = await setUp();
    const [one, other] = [await place.instance(), await place.instance()];
    await one.store.create('s');
    let interrupting: Promise<unknown[]> | undefined;
    await one.turn('s', async (turn) => {
      interrupting = other.turn('s', { onBusy: 'interrupt' }, async (next) =>
        (await next.messages()).map(({ content }) => content),
      );
      await new Promise<void>((resolve) => {
        turn.signal.addEventListener('abort', () => resolve());
      });
      expect(turn.signal.reason).toBeInstanceOf(TurnInterruptedError);
      turn.append({ role: 'assistant', content: 'That is as far as I got.' });
    });
    expect(await interrupting).toEqual(['That is as far as I got.']);
  });

  it('reaches the turn that begins ahead of it, however many repeats of that one are between them', async () => {
    const { place, waiting } = await setUp(timeless);
    const [one, other] = [await place.instance(), await place.instance()];
    await one.store.create('s');
    const holder = await one.begin('s');
    const turn = { onBusy: 'interrupt', idempotency: { key: 'k', requestDigest: 'd' } } as const;
    const repeats = Array.from({ length: 101 }, () => other.begin('s', turn));
    await waiting(101);
    const later = one.begin('s', { onBusy: 'interrupt' });
    for (const begun of [...repeats, later]) begun.catch(() => {}); // they wait until the stores are closed
    await waiting(102);
    await one.store.release(holder.lease);
    const { lease } = await Promise.race(repeats);
    const refused = await rejection(other.store.renew(lease, leaseMs));
    expect(refused).toBeInstanceOf(TurnInterruptedError);
  });

  it('takes the session from a holder that does not react, when the grace is over', async () => {
    const { place } = await setUp();
    const [one, other] = [await place.instance(), await place.instance()];
    await one.store.create('s');
    let interrupting: Promise<number> | undefined;
    const since = performance.now();
    const interrupted = rejection(
      one.turn('s', async (turn) => {
        turn.append({ role: 'assistant', content: 'never' });
        interrupting = other.turn('s', { onBusy: 'interrupt' }, async () => performance.now());
        await new Promise(() => {});
      }),
    );
    expect(await interrupted).toBeInstanceOf(TurnInterruptedError);
    expect(((await interrupting) ?? 0) - since).toBeLessThan(muchLessThanLease);
    expect(await one.store.messages('s')).toEqual([]);
  });
});
