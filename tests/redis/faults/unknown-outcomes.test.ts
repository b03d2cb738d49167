import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  OutcomeUnknownError,
  StoreUnavailableError,
} from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { rejection } from '../connection/fixtures.ts';
import { outOfTime } from '../support/clock/out-of-time.ts';
import { flakyProxyForTest } from '../support/lines/flaky-proxy.ts';
import { HeldCalls } from '../support/lines/held-calls.ts';
import { contents, end, lossyScene, message } from '../support/lines/lossy-scene.ts';
import { callOf } from '../support/requests.ts';
import { type Instance, SharedNamespace } from '../support/shared-namespace.ts';
import { late, patient } from './late.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

/** What is said of calls that take no nonce: not to repeat them under one. */
const madeAgain = /may have taken effect\. Make the same call again: (?!.*nonce)/;

describe('where no reply comes until the deadline', () => {
  it.each<
    [
      string,
      Parameters<typeof callOf>[0],
      (instance: Instance, options: { nonce?: string }) => Promise<unknown>,
      unknown,
    ]
  >([
    [
      'update',
      'write',
      ({ store }, options) => store.update('s', { metadata: { a: 1 } }, options),
      expect.objectContaining({ version: 2, metadata: { a: 1 } }),
    ],
    [
      'increment',
      'write',
      ({ store }, options) => store.incrementCounter('s', 'clicks', 1, options),
      1,
    ],
    [
      'append',
      'write',
      ({ store }, options) =>
        store.appendMessages('s', [{ role: 'operator', content: 'Hi' }], options),
      [expect.objectContaining({ seq: 1, content: 'Hi' })],
    ],
    [
      'create',
      'create',
      ({ store }, options) => store.create('t', { userId: 'ada' }, options),
      expect.objectContaining({ id: 't', version: 1 }),
    ],
  ])(
    '%s says so, and tells the outcome when it is repeated under its nonce',
    async (_, script, call, result) => {
      const { one, other, proxy, recovered } = await lossyScene(server, patient);
      await other.store.create('s');
      proxy.refuse();
      const lost = proxy.cutNextReply(callOf(script));
      const error = await late(call(one, {}), lost);
      expect(error).toBeInstanceOf(OutcomeUnknownError);
      const { nonce } = error as OutcomeUnknownError;
      // What others do meanwhile does not hide it.
      await other.store.update('s', { threadId: 'later' });
      proxy.accept();
      await recovered();
      expect(await call(one, { nonce })).toEqual(result);
      expect(await call(one, { nonce })).toEqual(result);
      const session = await other.store.get('s');
      expect(session?.version).toBe(script === 'create' ? 2 : 3);
      expect(session?.threadId).toBe('later');
      if (script === 'create') {
        const { sessions } = await other.store.listActive({ userId: 'ada' });
        expect(sessions.map(({ id }) => id)).toEqual(['t']);
      }
    },
  );

  it('a commit says so, and tells the outcome when it is repeated', async () => {
    const { one, other, proxy, recovered } = await lossyScene(server, patient);
    await other.store.create('s');
    const { lease } = await one.begin('s');
    const changes = { nonce: 'n-1', messages: [message('Hi')] };
    proxy.refuse();
    const lost = proxy.cutNextReply(callOf('write'));
    const error = await late(one.store.commit(lease, changes, end), lost);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect((error as OutcomeUnknownError).nonce).toBe('n-1');
    await other.turn('s', async (turn) => turn.append({ role: 'user', content: 'later' }));
    proxy.accept();
    await recovered();
    const result = await one.store.commit(lease, changes, end);
    expect(result.messages.map(({ seq }) => seq)).toEqual([1]);
    expect(await contents(other)).toEqual(['Hi', 'later']);
  });

  it('so does a commit that is there, of a session that cannot be read after it', async () => {
    const { one, other, proxy, recovered } = await lossyScene(server, patient);
    await other.store.create('s');
    const { lease } = await one.begin('s');
    // With this the committer does not have the state of what it adds to.
    await other.store.update('s', { threadId: 'later' });
    const changes = { nonce: 'n-1', messages: [message('Hi')] };
    proxy.refuse();
    const lost = proxy.cutNextReply(callOf('read'));
    const error = await late(one.store.commit(lease, changes, end), lost);
    expect(await contents(other)).toEqual(['Hi']);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect((error as OutcomeUnknownError).nonce).toBe('n-1');
    proxy.accept();
    await recovered();
    const result = await one.store.commit(lease, changes, end);
    expect(result.messages.map(({ seq }) => seq)).toEqual([1]);
    expect(await contents(other)).toEqual(['Hi']);
  });

  it('so does a write that its own repetition found done, of a session that cannot be read then', async () => {
    const { one, other, proxy, recovered } = await lossyScene(server, { ...patient, retries: 1 });
    await other.store.create('s');
    proxy.cutNextReply(callOf('write'));
    // As often as it is asked.
    proxy.cutNextReply(callOf('read'));
    proxy.cutNextReply(callOf('read'));
    const error = await rejection(one.store.incrementCounter('s', 'clicks'));
    expect((await other.store.get('s'))?.counters).toEqual({ clicks: 1 });
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    await recovered();
    const { nonce } = error as OutcomeUnknownError;
    expect(await one.store.incrementCounter('s', 'clicks', 1, { nonce })).toBe(1);
  });

  it('a delete says so, and the session is gone', async () => {
    const { one, other, proxy } = await lossyScene(server, patient);
    await other.store.create('s');
    proxy.refuse();
    const lost = proxy.cutNextReply(callOf('remove'));
    const error = await late(one.store.delete('s'), lost);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error.message).toMatch(madeAgain);
    expect(await other.store.get('s')).toBeNull();
  });

  it('a touch says so, and the session has its time', async () => {
    const { one, other, proxy } = await lossyScene(server, patient);
    const { lastActivity } = await other.store.create('s');
    await vi.waitUntil(() => Date.now() > lastActivity, { interval: 1 });
    proxy.refuse();
    const lost = proxy.cutNextReply(callOf('touch'));
    const error = await late(one.store.touch('s'), lost);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error.message).toMatch(madeAgain);
    expect((await other.store.get('s'))?.lastActivity).toBeGreaterThan(lastActivity);
  });

  it('the end of all of a user’s sessions says so, when some of it may have happened', async () => {
    const { one, other, proxy } = await lossyScene(server, patient);
    await other.store.create('s', { userId: 'ada' });
    proxy.refuse();
    const lost = proxy.cutNextReply(callOf('user', 'end'));
    const error = await late(one.store.deleteUser('ada'), lost);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error.message).toMatch(madeAgain);
  });

  it('a call that was never sent says that nothing was written, and a later one works', async () => {
    const { one, other, proxy } = await lossyScene(server, patient);
    await other.store.create('s');
    proxy.refuse();
    // With this the one connection is gone, and no new one comes about.
    const lost = proxy.cutNextReply(callOf('read'));
    expect(await late(one.store.get('s'), lost)).toBeInstanceOf(StoreUnavailableError);
    const error = await late(one.store.incrementCounter('s', 'clicks'));
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect((await other.store.get('s'))?.counters).toEqual({});
    proxy.accept();
    const value = await vi.waitUntil(
      () => one.store.incrementCounter('s', 'clicks').catch(() => null),
      {
        timeout: 60_000,
        interval: 10,
      },
    );
    expect(value).toBe(1);
  });
});

describe('a creation whose reply was lost, of a session that another one has ended since', () => {
  it.each<[string, 'bob' | null]>([
    ['is told as it was made', null],
    ['is so too where somebody has created another one of its id', 'bob'],
  ])('%s', async (_, later) => {
    const { one, other, proxy, recovered } = await lossyScene(server, patient);
    // Its bucket is in use already, so that the next reply is that of the creation.
    await other.store.create('s');
    await other.store.delete('s');
    proxy.refuse();
    const lost = proxy.cutNextReply(callOf('create'));
    const init = { userId: 'ada', metadata: { made: 1 } };
    const error = await late(one.store.create('s', init), lost);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(await other.store.delete('s')).toBe(true);
    const there = later && (await other.store.create('s', { userId: later }));
    proxy.accept();
    await recovered();
    const { nonce } = error as OutcomeUnknownError;
    const session = await one.store.create('s', init, { nonce });
    expect(session).toMatchObject({ version: 1, userId: 'ada', metadata: { made: 1 } });
    expect(await one.store.get('s')).toEqual(there);
    expect(await other.store.get('s', { fresh: true })).toEqual(there);
    for (const instance of [one, other]) {
      expect((await instance.store.listActive({ userId: 'ada' })).sessions).toEqual([]);
      expect((await instance.store.listActive({ userId: 'bob' })).sessions).toEqual(
        there === null ? [] : [there],
      );
    }
    const ids = await one.store.upkeep.entriesOf('ada');
    expect(ids).toEqual([]);
  });
});

describe('a write whose reply was lost, to a session that another one has ended and created anew since,', () => {
  it.each<[string, (instance: Instance, options: { nonce?: string }) => Promise<unknown>, unknown]>(
    [
      [
        'an update',
        ({ store }, options) => store.update('s', { metadata: { a: 1 } }, options),
        expect.objectContaining({ version: 2, metadata: { a: 1 } }),
      ],
      [
        'an increment',
        ({ store }, options) => store.incrementCounter('s', 'clicks', 1, options),
        1,
      ],
      [
        'a message',
        ({ store }, options) =>
          store.appendMessages('s', [{ role: 'operator', content: 'Hi' }], options),
        [expect.objectContaining({ seq: 1, content: 'Hi' })],
      ],
    ],
  )('is not made in that one: %s', async (_, call, result) => {
    const { one, other, proxy, recovered } = await lossyScene(server, patient);
    await other.store.create('s');
    proxy.refuse();
    const lost = proxy.cutNextReply(callOf('write'));
    const error = await late(call(one, {}), lost);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    await other.store.delete('s');
    const later = await other.store.create('s');
    proxy.accept();
    await recovered();
    expect(await call(one, { nonce: (error as OutcomeUnknownError).nonce })).toEqual(result);
    expect(await one.store.get('s', { fresh: true })).toEqual(later);
    expect(await other.store.messages('s')).toEqual([]);
  });
});

describe('where a user’s index does not answer in the middle of a creation', () => {
  it('the caller learns that it may have happened, and completes it under its nonce', async () => {
    const { one, other, proxy, recovered } = await lossyScene(server, patient);
    proxy.refuse();
    const lost = proxy.cutNextReply(callOf('user', 'confirm'));
    const error = await late(one.store.create('s', { userId: 'ada' }), lost);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    const { nonce } = error as OutcomeUnknownError;
    expect(await other.store.get('s')).toMatchObject({ userId: 'ada' });
    proxy.accept();
    await recovered();
    const session = await one.store.create('s', { userId: 'ada' }, { nonce });
    expect(session).toMatchObject({ id: 's', version: 1 });
    const { sessions } = await other.store.listActive({ userId: 'ada' });
    expect(sessions.map(({ id }) => id)).toEqual(['s']);
  });

  it('so does who gives a session to another user', async () => {
    const { one, other, proxy, recovered } = await lossyScene(server, patient);
    await other.store.create('s', { userId: 'ada' });
    proxy.refuse();
    const lost = proxy.cutNextReply(callOf('user', 'confirm'));
    const error = await late(one.store.update('s', { userId: 'bob' }), lost);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    const { nonce } = error as OutcomeUnknownError;
    expect(await other.store.get('s')).toMatchObject({ userId: 'bob', version: 2 });
    proxy.accept();
    await recovered();
    const session = await one.store.update('s', { userId: 'bob' }, { nonce });
    expect(session).toMatchObject({ userId: 'bob', version: 2 });
    const listed = async (userId: string) =>
      (await other.store.listActive({ userId })).sessions.map(({ id }) => id);
    expect([await listed('ada'), await listed('bob')]).toEqual([[], ['s']]);
  });

  it.each<[string, (instance: Instance, nonce: string) => Promise<unknown>]>([
    ['created', ({ store }, nonce) => store.create('s', { userId: 'ada' }, { nonce })],
    ['given to a user', ({ store }, nonce) => store.update('t', { userId: 'ada' }, { nonce })],
  ])(
    'who is %s while another session may have made room has the nonce of the call that it made',
    async (_, call) => {
      const { one, other, proxy } = await lossyScene(server, { ...patient, maxPerUser: 1 });
      await other.store.create('t');
      await other.store.create('old', { userId: 'ada' });
      proxy.refuse();
      const lost = proxy.cutNextReply(callOf('remove'));
      const error = await late(call(one, 'n-1'), lost);
      expect(await other.store.get('old')).toBeNull();
      expect(error).toBeInstanceOf(OutcomeUnknownError);
      expect((error as OutcomeUnknownError).nonce).toBe('n-1');
    },
  );

  it.each<[string, (instance: Instance, nonce: string) => Promise<unknown>]>([
    ['created', ({ store }, nonce) => store.create('s', { userId: 'ada' }, { nonce })],
    ['given to the user', ({ store }, nonce) => store.update('t', { userId: 'ada' }, { nonce })],
  ])(
    'who is %s when that user is ended has the nonce of the call that it made',
    async (_, call) => {
      const place = new SharedNamespace(server.url);
      const proxy = await flakyProxyForTest(server.port, { rate: 0 });
      const calls = new HeldCalls();
      const { connect } = calls;
      const one = await place.instance({ ...patient, url: proxy.url, connect });
      const other = await place.instance({ timeoutMs: 60_000 });
      await other.store.create('t');
      const held = calls.hold('user', 'confirm');
      const failure = rejection(call(one, 'n-1'));
      await held.reached;
      const [, states] = place.keys.user('ada');
      await (await place.asking())('HINCRBY', states, '#epoch', '1');
      proxy.refuse();
      const lost = proxy.cutNextReply(callOf('remove'));
      held.release();
      await lost;
      const error = await outOfTime(failure, patient.timeoutMs / 2);
      expect(error).toBeInstanceOf(OutcomeUnknownError);
      expect((error as OutcomeUnknownError).nonce).toBe('n-1');
    },
  );
});

describe('a call that may have been made, and is refused when it is repeated,', () => {
  it('says so though the user’s index does not answer then', async () => {
    const { one, other, proxy, recovered, forget } = await lossyScene(server, patient);
    // Its bucket is in use already, so that nothing stands between reservation and creation.
    await other.store.create('s');
    await other.store.delete('s');
    proxy.refuse();
    const lost = proxy.cutNextReply(callOf('create'));
    const first = await late(one.store.create('s', { userId: 'ada' }), lost);
    expect(first).toBeInstanceOf(OutcomeUnknownError);
    for (let n = 0; n < 40; n++) await other.store.incrementCounter('s', 'n');
    await forget();
    proxy.accept();
    await recovered();
    const { nonce } = first as OutcomeUnknownError;
    proxy.refuse();
    const unsettled = proxy.cutNextReply(callOf('user', 'leave'));
    const again = rejection(one.store.create('s', { userId: 'ada' }, { nonce }));
    await unsettled;
    const error = await outOfTime(again, patient.timeoutMs / 2);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect((error as OutcomeUnknownError).nonce).toBe(nonce);
  });
});
