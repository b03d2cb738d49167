import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  OutcomeUnknownError,
  SessionLimitError,
  StoreUnavailableError,
} from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { connectNodeRedis } from '../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import {
  ConnectionLostError,
  type ConnectRedis,
} from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { scripts } from '../../../packages/holdfast/src/lib/redis/scripts/scripts.ts';
import { type FakeTimeRedis, startRedisOnFakeTime } from '../../servers/redis-server.ts';
import { rejection } from '../connection/fixtures.ts';
import { flakyProxyForTest } from '../support/lines/flaky-proxy.ts';
import { HeldCalls } from '../support/lines/held-calls.ts';
import { callOf } from '../support/requests.ts';
import {
  type Instance,
  type InstanceOptions,
  SharedNamespace,
} from '../support/shared-namespace.ts';

/** Reservations lapse by the server's clock, which only `advance` moves. */
let server: FakeTimeRedis;
let time = Date.UTC(2030, 0, 1);
beforeAll(async () => {
  server = await startRedisOnFakeTime({ time });
});
afterAll(() => server.stop());

function advance(ms: number): void {
  time += ms;
  server.setTime(time);
}

/** A little more than a reservation lasts. */
const reservationMs = 10_001;

async function setUp(options: InstanceOptions = {}) {
  const place = new SharedNamespace(server.url, options);
  return { place, ask: await place.asking(), sessions: await place.instance() };
}

const sessionsOf = async ({ store }: Instance, userId: string) =>
  (await store.listActive({ userId })).sessions.map(({ id }) => id).sort();

describe('a creator that dies', () => {
  const hasty = { timeoutMs: 2_000, retries: 0 };

  it('when it has reserved a place: that counts for a while, and then no more', async () => {
    const { place, sessions } = await setUp({ maxPerUser: 1, maxPerUserPolicy: 'reject' });
    const proxy = await flakyProxyForTest(server.port, { rate: 0 });
    const dying = await place.instance({ url: proxy.url, ...hasty });
    proxy.refuse();
    const lost = proxy.cutNextReply(callOf('user', 'enter'));
    const error = await rejection(dying.store.create('never', { userId: 'ada' }));
    expect(error).toBeInstanceOf(StoreUnavailableError);
    await lost;
    expect(await sessionsOf(sessions, 'ada')).toEqual([]);
    const next = () => sessions.store.create('next', { userId: 'ada' });
    await expect(next()).rejects.toThrow(SessionLimitError);
    advance(reservationMs);
    await next();
    expect(await sessionsOf(sessions, 'ada')).toEqual(['next']);
  });

  it('when it has created the session: that is the user’s from then on', async () => {
    const { place, sessions } = await setUp({ maxPerUser: 1, maxPerUserPolicy: 'reject' });
    const proxy = await flakyProxyForTest(server.port, { rate: 0 });
    const dying = await place.instance({ url: proxy.url, ...hasty });
    // Its bucket is in use already, so that nothing stands between reservation and creation.
    await dying.store.create('s');
    await dying.store.delete('s');
    proxy.refuse();
    const lost = proxy.cutNextReply(callOf('create'));
    const error = await rejection(dying.store.create('s', { userId: 'ada' }));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    await lost;
    for (const ms of [0, reservationMs]) {
      advance(ms);
      expect(await sessionsOf(sessions, 'ada')).toEqual(['s']);
      const next = sessions.store.create('next', { userId: 'ada' });
      await expect(next).rejects.toThrow(SessionLimitError);
    }
    expect(await sessions.store.deleteUser('ada')).toBe(1);
    expect(await sessions.store.get('s')).toBeNull();
  });
});

describe('an entry that names', () => {
  it.each<[string, (sessions: Instance) => Promise<unknown>]>([
    ['another user’s session', ({ store }) => store.create('s', { userId: 'bob' })],
    ['nobody’s session', ({ store }) => store.create('s')],
    ['no session', async () => {}],
  ])('%s is not listed, does not count, harms nobody, and goes', async (_, create) => {
    const { place, ask, sessions } = await setUp({ maxPerUser: 1, maxPerUserPolicy: 'reject' });
    await create(sessions);
    const [index] = place.keys.user('ada');
    const before = await sessions.store.get('s');
    const plant = () => ask('ZADD', index, '1', 's');
    await plant();
    expect(await sessionsOf(sessions, 'ada')).toEqual([]);
    expect(await ask('ZSCORE', index, 's')).toBeNull();
    await plant();
    expect(await sessions.store.deleteUser('ada')).toBe(0);
    await plant();
    await sessions.store.create('own', { userId: 'ada' });
    expect(await sessionsOf(sessions, 'ada')).toEqual(['own']);
    expect(await sessions.store.get('s')).toEqual(before);
  });

  it('no session when it is looked at, and one when it is to go, stays', async () => {
    const { place, ask, sessions } = await setUp();
    const calls = new HeldCalls();
    const cap = { maxPerUser: 1, maxPerUserPolicy: 'reject' } as const;
    const capped = await place.instance({ ...cap, connect: calls.connect });
    const [index] = place.keys.user('ada');
    await ask('ZADD', index, '1', 's');
    const held = calls.hold('user', 's');
    const refused = rejection(capped.store.create('own', { userId: 'ada' }));
    await held.reached;
    await sessions.store.create('s', { userId: 'ada' });
    held.release();
    expect(await refused).toBeInstanceOf(SessionLimitError);
    expect(await sessionsOf(sessions, 'ada')).toEqual(['s']);
    expect(await sessions.store.deleteUser('ada')).toBe(1);
  });

  it.each(['create', 'update'] as const)(
    'a session that was to be evicted, and is another user’s by now, evicts nobody (%s)',
    async (how) => {
      const { place, ask, sessions } = await setUp({ maxPerUser: 1 });
      const [index, states] = place.keys.user('ada');
      await sessions.store.create('s', { userId: 'bob' });
      // Who was to evict it ended the session, and died before it could say so here.
      await ask('ZADD', index, '1', 's');
      await ask('HSET', states, 's', `leaving ${time - 1} -`);
      if (how === 'create') await sessions.store.create('own', { userId: 'ada' });
      else {
        await sessions.store.create('own');
        await sessions.store.update('own', { userId: 'ada' });
      }
      expect(await sessions.store.get('s')).toMatchObject({ userId: 'bob' });
      expect(await sessionsOf(sessions, 'ada')).toEqual(['own']);
      expect(await ask('HEXISTS', states, 's')).toBe('0');
    },
  );

  it('a session that went on to another user since a write gave it to this one, ends nobody’s', async () => {
    const { place, sessions } = await setUp();
    const proxy = await flakyProxyForTest(server.port, { rate: 0 });
    const one = await place.instance({ url: proxy.url, timeoutMs: 60_000, retries: 0 });
    await sessions.store.create('s');
    const give = () => one.store.update('s', { userId: 'ada' }, { nonce: 'give' });
    const lost = proxy.cutNextReply(callOf('write'));
    expect(await rejection(give())).toBeInstanceOf(OutcomeUnknownError);
    await lost;
    advance(reservationMs);
    await sessions.store.update('s', { userId: 'bob' });
    expect(await give()).toMatchObject({ userId: 'ada' });
    expect(await sessions.store.get('s')).toMatchObject({ userId: 'bob' });
    expect(await sessionsOf(sessions, 'bob')).toEqual(['s']);
  });

  it('a session that went to another user stays with that one alone', async () => {
    const { sessions } = await setUp();
    await sessions.store.create('s', { userId: 'ada' });
    await sessions.store.update('s', { userId: 'bob' });
    expect(await sessionsOf(sessions, 'ada')).toEqual([]);
    expect(await sessionsOf(sessions, 'bob')).toEqual(['s']);
  });
});

describe('a write that gives the user a session, and never came,', () => {
  /** One whose first write is lost on its way. */
  async function scene(options: InstanceOptions = {}) {
    const { place, sessions } = await setUp(options);
    let isLost = false;
    const connect: ConnectRedis = async (...where) => {
      const connection = await connectNodeRedis(...where);
      const send = connection.send.bind(connection);
      connection.send = async (args) => {
        if (isLost || !args.includes(scripts.write.sha1)) return send(args);
        isLost = true;
        throw new ConnectionLostError('lost', { sent: true });
      };
      return connection;
    };
    const one = await place.instance({ connect, retries: 0 });
    await sessions.store.create('s');
    const give = () => one.store.update('s', { userId: 'ada' }, { nonce: 'give' });
    expect(await rejection(give())).toBeInstanceOf(OutcomeUnknownError);
    advance(reservationMs);
    expect(await sessionsOf(sessions, 'ada')).toEqual([]);
    return { sessions, give };
  }

  it('gives it when it is repeated, however late', async () => {
    const { sessions, give } = await scene();
    expect(await give()).toMatchObject({ userId: 'ada' });
    expect(await sessionsOf(sessions, 'ada')).toEqual(['s']);
    expect(await sessions.store.deleteUser('ada')).toBe(1);
  });

  it('makes room for it, or is refused, as any other', async () => {
    const evicting = await scene({ maxPerUser: 1 });
    await evicting.sessions.store.create('own', { userId: 'ada' });
    await evicting.give();
    expect(await sessionsOf(evicting.sessions, 'ada')).toEqual(['s']);
    const refusing = await scene({ maxPerUser: 1, maxPerUserPolicy: 'reject' });
    await refusing.sessions.store.create('own', { userId: 'ada' });
    // Whether it has come before can no longer be learned.
    const error = await rejection(refusing.give());
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error.cause).toBeInstanceOf(SessionLimitError);
    expect(await sessionsOf(refusing.sessions, 'ada')).toEqual(['own']);
    expect(await refusing.sessions.store.get('s')).toMatchObject({ userId: null });
  });
});

describe('fifty creations at once, of three instances,', () => {
  const cap = 5;
  const createAll = async (options: InstanceOptions) => {
    const { place, sessions } = await setUp(options);
    const instances = [sessions, await place.instance(), await place.instance()];
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, async (_, index) => {
        const instance = instances[index % instances.length] ?? sessions;
        await instance.store.create(`s${index}`, { userId: 'ada' });
      }),
    );
    const errors = outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    return { sessions, errors };
  };

  it('end with as many sessions as the cap allows, the others refused', async () => {
    const { sessions, errors } = await createAll({ maxPerUser: cap, maxPerUserPolicy: 'reject' });
    expect(errors).toHaveLength(50 - cap);
    for (const error of errors) expect(error).toBeInstanceOf(SessionLimitError);
    expect(await sessionsOf(sessions, 'ada')).toHaveLength(cap);
    expect(await sessions.store.countActive()).toBe(cap);
  });

  it('end with as many sessions as the cap allows, the others evicted', async () => {
    const options = { maxPerUser: cap, maxPerUserPolicy: 'evict_oldest' } as const;
    const { sessions, errors } = await createAll(options);
    expect(errors).toEqual([]);
    expect(await sessionsOf(sessions, 'ada')).toHaveLength(cap);
    expect(await sessions.store.countActive()).toBe(cap);
  });
});

describe('the end of all of a user’s sessions', () => {
  it.each([
    ['created', 'create', []],
    ['confirmed', 'user', ['confirm']],
  ] as const)('takes one with it that is being %s meanwhile', async (_, script, words) => {
    const { place, sessions } = await setUp();
    const calls = new HeldCalls();
    const creator = await place.instance({ connect: calls.connect });
    const held = calls.hold(script, ...words);
    const creating = creator.store.create('s', { userId: 'ada' });
    await held.reached;
    await sessions.store.deleteUser('ada');
    held.release();
    await creating;
    expect(await sessions.store.get('s')).toBeNull();
    expect(await sessionsOf(sessions, 'ada')).toEqual([]);
    // What is created after it stays.
    await creator.store.create('s', { userId: 'ada' });
    expect(await sessionsOf(sessions, 'ada')).toEqual(['s']);
  });

  it('takes one with it that is being given to the user meanwhile, as deleted', async () => {
    const { place, sessions } = await setUp();
    const calls = new HeldCalls();
    const writer = await place.instance({ connect: calls.connect });
    const told: string[] = [];
    for (const name of ['evicted', 'deleted'] as const) {
      writer.store.on(name, ({ sessionId }) => {
        told.push(`${name} ${sessionId}`);
      });
    }
    await writer.store.create('s');
    const held = calls.hold('write');
    const giving = writer.store.update('s', { userId: 'ada' });
    await held.reached;
    expect(await sessions.store.deleteUser('ada')).toBe(0);
    held.release();
    await giving;
    expect(await sessions.store.get('s')).toBeNull();
    expect(told).toEqual(['deleted s']);
  });
});
