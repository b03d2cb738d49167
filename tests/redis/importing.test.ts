import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OutcomeUnknownError } from '../../packages/holdfast/src/lib/errors/errors.ts';
import type { Original } from '../../packages/holdfast/src/lib/redis/upkeep/importing.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import { rejection } from './connection/fixtures.ts';
import { outOfTime } from './support/clock/out-of-time.ts';
import { encrypting } from './support/encryption.ts';
import { flakyProxyForTest } from './support/lines/flaky-proxy.ts';
import { HeldCalls } from './support/lines/held-calls.ts';
import { callOf } from './support/requests.ts';
import {
  type Instance,
  type InstanceOptions,
  SharedNamespace,
} from './support/shared-namespace.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const day = 86_400_000;
const created = Date.UTC(2024, 1, 3, 4, 5, 6, 789);
const times = {
  createdAt: created,
  updatedAt: created + 1_000,
  lastActivity: created + 2_000,
  remainingMs: () => 600_000,
};
const soon = { timeout: 60_000, interval: 10 };

function original(digest: string, expires: number | null = created + day): Original {
  return { digest, expiry: expires === null ? null : { earliest: expires, latest: expires } };
}

async function setUp(options: InstanceOptions = {}) {
  const place = new SharedNamespace(server.url, options);
  const sessions = await place.instance();
  const { store } = sessions;
  const target = store.upkeep.importing();
  const take = (id: string, digest: string, more: Partial<typeof times> = {}, expires?: number) =>
    target.import(id, original(digest, expires), { userId: 'ada' }, { ...times, ...more });
  return { place, sessions, store, target, take };
}

async function idsOf({ store }: Instance, userId: string): Promise<string[]> {
  return (await store.listActive({ userId })).sessions.map(({ id }) => id).sort();
}

describe('an imported session', () => {
  it.each([
    ['in the clear', false],
    ['encrypted', true],
  ])('has its own times, is listed, counted and the user’s, %s', async (_, isEncrypted) => {
    const place = new SharedNamespace(server.url, { absoluteTimeoutMs: day });
    const options = isEncrypted ? { codec: encrypting(place.keyPrefix) } : {};
    const sessions = await place.instance(options);
    const init = {
      ...{ userId: 'ada', threadId: 't-1', escalated: true, metadata: { plan: 'pro' } },
      counters: { messageCount: 7 },
    };
    const before = Date.now();
    const target = sessions.store.upkeep.importing();
    expect(await target.import('s', original('d'), init, times)).toBe('imported');
    const other = await place.instance(options);
    const session = await other.store.get('s');
    expect(session).toMatchObject({
      ...{ id: 's', userId: 'ada', threadId: 't-1', escalated: true, metadata: { plan: 'pro' } },
      ...{ status: 'active', messageCount: 7, version: 1 },
      ...{ createdAt: created, updatedAt: created + 1_000, lastActivity: created + 2_000 },
    });
    expect(session?.expiresAt).toBeGreaterThanOrEqual(before + 600_000);
    expect(session?.expiresAt).toBeLessThanOrEqual(Date.now() + 600_000);
    expect(await other.store.countActive()).toBe(1);
    expect(await idsOf(other, 'ada')).toEqual(['s']);
    expect((await other.store.listActive()).sessions).toHaveLength(1);
    expect(await other.turn('s', async ({ session: { createdAt } }) => createdAt)).toBe(created);
    expect(await other.revokeUser('ada')).toBe(1);
  });

  it('is not ended by its creation: its absolute end counts from the import', async () => {
    const { store, take } = await setUp({ absoluteTimeoutMs: 3_600_000, idleTimeoutMs: day });
    const before = Date.now();
    await take('s', 'd');
    const touched = await store.update('s', { metadata: { touched: true } });
    expect(touched.expiresAt).toBeGreaterThanOrEqual(before + 3_600_000);
    expect(touched.expiresAt).toBeLessThanOrEqual(Date.now() + 3_600_000);
  });

  it('keeps its time also where that is longer than the absolute timeout', async () => {
    const { store, take } = await setUp({ absoluteTimeoutMs: 60_000 });
    const before = Date.now();
    await take('s', 'd', { remainingMs: () => 7 * day });
    expect((await store.get('s'))?.expiresAt).toBeGreaterThanOrEqual(before + 7 * day);
  });

  it('expires as every session does', async () => {
    const { store, take } = await setUp({ cleanupIntervalMs: 100 });
    const told: string[] = [];
    store.on('expired', ({ sessionId }) => {
      told.push(sessionId);
    });
    await take('s', 'd', { remainingMs: () => 50 });
    await expect.poll(() => told, soon).toEqual(['s']);
    expect(await store.get('s')).toBeNull();
    expect(await store.countActive()).toBe(0);
  });

  it('is not taken for one put back by an instance that knew a later session of its id', async () => {
    const place = new SharedNamespace(server.url);
    const codec = encrypting(place.keyPrefix);
    const knowing = await place.instance({ codec });
    await knowing.store.create('s');
    await knowing.store.get('s');
    const other = await place.instance({ codec });
    await other.store.delete('s');
    const target = other.store.upkeep.importing();
    expect(await target.import('s', original('d'), {}, times)).toBe('imported');
    expect(await knowing.store.get('s')).toMatchObject({ createdAt: created });
  });
});

describe('an import whose user is ended meanwhile', () => {
  it('says under its own nonce that the session may not have gone again', async () => {
    const patient = { timeoutMs: 60_000, retries: 2 };
    const place = new SharedNamespace(server.url, patient);
    const proxy = await flakyProxyForTest(server.port, { rate: 0 });
    const calls = new HeldCalls();
    const one = await place.instance({ url: proxy.url, connect: calls.connect });
    const ask = await place.asking();
    const held = calls.hold('user', 'confirm');
    const target = one.store.upkeep.importing();
    const failure = rejection(target.import('s', original('d'), { userId: 'ada' }, times));
    await held.reached;
    const header = String(await ask('HGET', place.keys.session('s')[0], 'h'));
    await ask('HINCRBY', place.keys.user('ada')[1], '#epoch', '1');
    proxy.refuse();
    const lost = proxy.cutNextReply(callOf('remove'));
    held.release();
    await lost;
    const error = await outOfTime(failure, patient.timeoutMs / 2);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    // The session's etag names the write that made it.
    const { nonce } = error as OutcomeUnknownError;
    expect(header.split(' ')[4]?.split('.')[0]).toBe(`m${nonce}`);
  });
});

describe('a later import', () => {
  it('of the same original changes nothing', async () => {
    const { store, target, take } = await setUp();
    expect(await target.look('s', original('d'))).toBe('new');
    await take('s', 'd');
    const before = await store.get('s', { fresh: true });
    expect(await target.look('s', original('d'))).toBe('unchanged');
    expect(await take('s', 'd')).toBe('unchanged');
    expect(await store.get('s', { fresh: true })).toEqual(before);
  });

  it('of a changed original replaces the session, its user and its time', async () => {
    const { sessions, store, target, take } = await setUp();
    await take('s', 'd');
    expect(await target.look('s', original('e'))).toBe('changed');
    const init = { userId: 'bob', metadata: { now: 'other' } };
    const later = { ...times, remainingMs: () => day };
    expect(await target.import('s', original('e'), init, later)).toBe('imported');
    const session = await store.get('s');
    expect(session).toMatchObject({ userId: 'bob', metadata: { now: 'other' } });
    expect(session?.expiresAt).toBeGreaterThan(Date.now() + 600_000);
    expect([await idsOf(sessions, 'ada'), await idsOf(sessions, 'bob')]).toEqual([[], ['s']]);
    expect(await store.countActive()).toBe(1);
    expect(await target.look('s', original('e'))).toBe('unchanged');
  });

  it('of one that only expires later takes over its new time', async () => {
    const { target, take } = await setUp();
    await take('s', 'd');
    expect(await target.look('s', original('d', created + day + 500))).toBe('unchanged');
    expect(await target.look('s', original('d', created + day + 5_000))).toBe('changed');
    expect(await target.look('s', original('d', null))).toBe('changed');
  });

  it('leaves what was committed here, and says so only if the original has changed', async () => {
    const { store, target, take } = await setUp();
    await take('s', 'd');
    await store.update('s', { metadata: { by: 'Holdfast' } });
    expect(await target.look('s', original('d'))).toBe('unchanged');
    expect(await target.look('s', original('d', null))).toBe('unchanged');
    expect(await target.look('s', original('e'))).toBe('committed');
    expect(await take('s', 'e')).toBe('committed');
    expect((await store.get('s'))?.metadata).toEqual({ by: 'Holdfast' });
  });

  it('leaves what a turn is at work on', async () => {
    const { sessions, take } = await setUp();
    await take('s', 'd');
    const outcome = await sessions.turn('s', async (turn) => {
      const during = await take('s', 'e');
      turn.update({ metadata: { by: 'turn' } });
      return during;
    });
    expect(outcome).toBe('committed');
    expect((await sessions.store.get('s'))?.metadata).toEqual({ by: 'turn' });
  });

  it('never replaces a session that was made here', async () => {
    const { store, take, target } = await setUp();
    await store.create('s', { metadata: { by: 'Holdfast' } });
    expect(await take('s', 'd')).toBe('exists');
    expect(await store.get('s')).toMatchObject({ version: 1, metadata: { by: 'Holdfast' } });
    expect(await target.digestOf('s')).toBeNull();
    expect((await store.listActive({ userId: 'ada' })).sessions).toEqual([]);
  });

  it('nor one that was made here after the import', async () => {
    const { store, take } = await setUp();
    await take('s', 'd');
    await store.delete('s');
    await store.create('s', { metadata: { by: 'Holdfast' } });
    expect(await take('s', 'd')).toBe('unchanged');
    expect(await take('s', 'e')).toBe('committed');
    expect((await store.get('s'))?.metadata).toEqual({ by: 'Holdfast' });
  });

  it('does not bring back what was deleted here', async () => {
    const { store, take } = await setUp();
    await take('s', 'd');
    await store.delete('s');
    expect(await take('s', 'd')).toBe('ended');
    expect(await take('s', 'e')).toBe('deleted');
    expect(await store.get('s')).toBeNull();
  });

  it('takes over again what went on there after it had expired here', async () => {
    const { store, target, take } = await setUp();
    await take('s', 'd', { remainingMs: () => 1 });
    await expect.poll(() => store.get('s', { fresh: true }), soon).toBeNull();
    expect(await target.look('s', original('d'))).toBe('ended');
    expect(await take('s', 'e')).toBe('imported');
    expect(await store.get('s')).toMatchObject({ userId: 'ada' });
  });
});

describe('the ledger of imports', () => {
  it('forgets an original on request, and those that have expired', async () => {
    const { target, take } = await setUp();
    for (const id of ['a', 'b', 'c', 'd']) {
      await take(id, `digest-${id}`, {}, id === 'd' ? created + 9 * day : created + day);
    }
    expect(await target.digestOf('a')).toBe('digest-a');
    await target.forget('a');
    await target.forgetExpired(created + 2 * day, (id) => id === 'c');
    const left = await Promise.all(['a', 'b', 'c', 'd'].map((id) => target.digestOf(id)));
    expect(left).toEqual([null, null, 'digest-c', 'digest-d']);
  });

  it('goes with the namespace: after a flush all is imported again', async () => {
    const own = await startRedis();
    try {
      const place = new SharedNamespace(own.url);
      const { store } = await place.instance();
      const target = store.upkeep.importing();
      await target.import('s', original('d'), {}, times);
      const ask = await place.asking();
      await ask('FLUSHALL');
      expect(await target.import('s', original('d'), {}, times)).toBe('imported');
      expect(await store.get('s', { fresh: true })).toMatchObject({ createdAt: created });
    } finally {
      await own.stop();
    }
  });
});
