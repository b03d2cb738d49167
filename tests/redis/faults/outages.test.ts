import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  HoldfastError,
  LeaseLostError,
  OutcomeUnknownError,
  SessionGoneError,
  SessionNotFoundError,
  StoreUnavailableError,
} from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { type RedisOptions, type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { rejection } from '../connection/fixtures.ts';
import type { Ask } from '../support/asking.ts';
import { type Instance, SharedNamespace } from '../support/shared-namespace.ts';
import { Ledger } from '../support/turn-ledger.ts';

async function setUp(options: RedisOptions = {}, instances = 2) {
  const server: RedisServer = await startRedis(options);
  onTestFinished(() => server.stop());
  const place = new SharedNamespace(server.url);
  const sessions = await Promise.all(Array.from({ length: instances }, () => place.instance()));
  const ask = await place.asking();
  return { server, place, ask, sessions };
}

const ids = Array.from({ length: 5 }, (_, index) => `s${index}`);

async function create(sessions: readonly Instance[]): Promise<void> {
  for (const id of ids) await sessions[0]?.store.create(id);
}

/** Fifty turns at once: ten on each session, of all instances. */
function fiftyTurns(sessions: readonly Instance[], ledger: Ledger): Promise<void>[] {
  return Array.from({ length: 50 }, (_, index) =>
    ledger.turn(sessions[index % sessions.length] as Instance, ids[index % ids.length] as string),
  );
}

describe('while fifty turns are under way', () => {
  it.each<[string, (ask: Ask) => Promise<unknown>]>([
    ['the scripts are lost', (ask) => ask('SCRIPT', 'FLUSH')],
    [
      'the connections for commands are',
      (ask) => ask('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
    ],
    ['the subscriptions are', (ask) => ask('CLIENT', 'KILL', 'TYPE', 'pubsub')],
  ])('%s: every turn succeeds, once and in order', async (_, harm) => {
    const { ask, sessions } = await setUp();
    await create(sessions);
    const ledger = new Ledger();
    const turns = fiftyTurns(sessions, ledger);
    for (const share of [10, 25, 40]) {
      await vi.waitUntil(() => ledger.acknowledged.length >= share, {
        timeout: 60_000,
        interval: 1,
      });
      await harm(ask);
    }
    await Promise.all(turns);
    expect(ledger.acknowledged).toHaveLength(50);
    await ledger.check(sessions[1] as Instance, ids);
    await ledger.turn(sessions[0] as Instance, 's0');
  });
});

describe('a server that stands still', () => {
  it('for 3 s holds calls up, and fails none', async () => {
    const { server, sessions } = await setUp();
    await create(sessions);
    const ledger = new Ledger();
    const turns = fiftyTurns(sessions, ledger);
    await vi.waitUntil(() => ledger.acknowledged.length >= 10, { timeout: 60_000, interval: 1 });
    await server.pause();
    await sleep(3_000);
    server.resume();
    await Promise.all(turns);
    expect(ledger.acknowledged).toHaveLength(50);
    await ledger.check(sessions[1] as Instance, ids);
  });

  it('for 20 s fails calls in time, leaves nothing hanging, and works again by itself', async () => {
    const { server, place, ask, sessions } = await setUp();
    const hasty = await place.instance({ leaseMs: 2_000 });
    await create(sessions);
    await sessions[0]?.store.create('held');
    const ledger = new Ledger();
    // Its lease ends while nobody can renew it.
    const held = rejection(
      hasty.turn('held', async (turn) => {
        turn.append({ role: 'user', content: 'stale' });
        await new Promise((_, reject) => {
          turn.signal.addEventListener('abort', () => reject(turn.signal.reason));
        });
      }),
    );
    await vi.waitUntil(
      async () => (await ask('ZCARD', place.keys.leases(place.keys.bucketOf('held')))) === '1',
      { timeout: 60_000, interval: 1 },
    );
    const turns = fiftyTurns(sessions, ledger);
    const settled = Promise.allSettled(turns);
    await vi.waitUntil(() => ledger.acknowledged.length >= 5, { timeout: 60_000, interval: 1 });
    await server.pause();
    const pausedAt = performance.now();
    const calls: [string, (store: Instance['store']) => Promise<unknown>][] = [
      ['get', (store) => store.get('s0')],
      ['update', (store) => store.update('s0', { threadId: 'never' })],
      ['countActive', (store) => store.countActive()],
      ['messages', (store) => store.messages('s0')],
      [
        'begin',
        (store) => store.begin('s1', { nonce: 'n', leaseMs: 1_000, onBusy: 'reject', waitMs: 0 }),
      ],
    ];
    for (const again of [false, true]) {
      if (again) await sleep(Math.max(0, pausedAt + 9_000 - performance.now()));
      await Promise.all(
        calls.map(async ([name, call]) => {
          const since = performance.now();
          const error = await rejection(call((sessions[0] as Instance).store));
          // REDIS_SOCKET_TIMEOUT is 5 s; a failure may take one more.
          expect(performance.now() - since, name).toBeLessThan(6_000);
          expect([StoreUnavailableError, OutcomeUnknownError], name).toContain(error.constructor);
        }),
      );
    }
    expect(await held).toBeInstanceOf(LeaseLostError);
    await sleep(Math.max(0, pausedAt + 20_000 - performance.now()));
    server.resume();
    await vi.waitUntil(async () => (await sessions[0]?.store.get('s0').catch(() => null)) ?? null, {
      timeout: 60_000,
      interval: 10,
    });
    const outcomes = await settled;
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(HoldfastError);
    }
    // Leases that ended meanwhile are taken over, where a turn before it was.
    for (const id of [...ids, 'held']) await ledger.turn(sessions[1] as Instance, id);
    await ledger.check(sessions[0] as Instance, [...ids, 'held']);
    const history = await sessions[0]?.store.messages('held');
    expect(history?.map(({ content }) => content)).not.toContain('stale');
  });
});

describe('a server that is killed', () => {
  it('has every acknowledged commit once it is back, once and in order', async () => {
    const { server, sessions } = await setUp({ persistence: 'aof' });
    await create(sessions);
    const ledger = new Ledger();
    const settled = Promise.allSettled(fiftyTurns(sessions, ledger));
    await vi.waitUntil(() => ledger.acknowledged.length >= 20, { timeout: 60_000, interval: 1 });
    await server.kill('SIGKILL');
    await server.restart();
    await settled;
    expect(ledger.acknowledged.length).toBeGreaterThanOrEqual(20);
    for (const id of ids) await ledger.turn(sessions[0] as Instance, id);
    await ledger.check(sessions[1] as Instance, ids);
  });
});

describe('where all data is flushed', () => {
  it('turns end as those of sessions that are gone, and new ones work', async () => {
    const { ask, sessions } = await setUp();
    await create(sessions);
    const [one, other] = sessions as [Instance, Instance];
    let signal: AbortSignal | undefined;
    let go = () => {};
    const working = rejection(
      one.turn('s0', async (turn) => {
        turn.append({ role: 'user', content: 'never' });
        signal = turn.signal;
        await new Promise<void>((resolve) => {
          go = resolve;
        });
      }),
    );
    await vi.waitUntil(() => signal !== undefined, { timeout: 60_000, interval: 1 });
    const waiting = rejection(other.turn('s0', { waitSeconds: 1 }, async () => {}));
    await ask('FLUSHALL');
    go();
    expect(await working).toBeInstanceOf(SessionGoneError);
    expect(await rejection(other.turn('s1', async () => {}))).toBeInstanceOf(SessionNotFoundError);
    await other.store.create('s0');
    const ledger = new Ledger();
    await ledger.turn(one, 's0');
    await ledger.check(other, ['s0']);
    const ended = await waiting;
    expect(ended).toBeInstanceOf(HoldfastError);
    expect(await other.store.countActive()).toBe(1);
  });

  it('a waiter ends too, and not only when its patience does', async () => {
    const { ask, place, sessions } = await setUp();
    const [one, other] = sessions as [Instance, Instance];
    await one.store.create('s');
    await one.begin('s', { leaseMs: 1_000 });
    const waiting = rejection(other.turn('s', { waitSeconds: 600 }, async () => {}));
    await vi.waitUntil(async () => (await ask('ZCARD', place.keys.session('s')[1])) === '1', {
      timeout: 60_000,
      interval: 1,
    });
    await ask('FLUSHALL');
    expect(await waiting).toBeInstanceOf(SessionGoneError);
  });

  it('an instance that comes later finds the sessions of those before it', async () => {
    const { ask, place, sessions } = await setUp();
    await ask('FLUSHALL');
    for (const id of ids) await sessions[0]?.store.create(id);
    // It would divide a namespace of its own into another number of buckets.
    const later = await place.instance({ buckets: 5 });
    for (const id of ids) expect(await later.store.get(id)).toMatchObject({ id });
    await later.store.create('new');
    expect(await sessions[0]?.store.get('new')).toMatchObject({ id: 'new' });
  });
});

describe('a server that is full', () => {
  it('refuses writes and says why, answers reads, and takes writes again when it has room', async () => {
    const { ask, sessions } = await setUp({ args: ['--maxmemory-policy', 'noeviction'] });
    const [one, other] = sessions as [Instance, Instance];
    const ledger = new Ledger();
    await create(sessions);
    await ledger.turn(one, 's0');
    await ask('CONFIG', 'SET', 'maxmemory', '1mb');
    const before = await one.store.get('s0');
    const writes: (() => Promise<unknown>)[] = [
      () => one.store.create('s9'),
      () => one.store.update('s0', { threadId: 'never' }),
      () => one.store.incrementCounter('s0', 'clicks'),
      () => one.store.appendMessages('s0', [{ role: 'user', content: 'never' }]),
      () => one.turn('s0', async (turn) => turn.append({ role: 'user', content: 'never' })),
    ];
    for (const write of writes) {
      const error = await rejection(write());
      expect(error).toBeInstanceOf(StoreUnavailableError);
      expect(error.message).toMatch(/has reached its maxmemory\. Raise maxmemory/);
    }
    expect(await other.store.get('s0')).toEqual(before);
    await ledger.check(other, ['s0']);
    await ask('CONFIG', 'SET', 'maxmemory', '0');
    for (const id of ids) await ledger.turn(one, id);
    await ledger.check(other, ids);
  });

  it('fails a turn whose commit it refuses, and keeps nothing of it', async () => {
    const { ask, sessions } = await setUp();
    const [one, other] = sessions as [Instance, Instance];
    await one.store.create('s');
    const turn = one.turn('s', async (running) => {
      running.append({ role: 'user', content: 'never' });
      await ask('CONFIG', 'SET', 'maxmemory', '1mb');
    });
    await expect(turn).rejects.toThrow(StoreUnavailableError);
    await ask('CONFIG', 'SET', 'maxmemory', '0');
    expect(await other.store.messages('s')).toEqual([]);
    const ledger = new Ledger();
    await ledger.turn(other, 's');
    await ledger.check(one, ['s']);
  });
});
