import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StoreUnavailableError } from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { scripts } from '../../../packages/holdfast/src/lib/redis/scripts/scripts.ts';
import { type FakeTimeRedis, startRedisOnFakeTime } from '../../servers/redis-server.ts';
import type { Ask } from '../support/asking.ts';
import { type Attempt, operations, type Scene } from '../support/operations.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';
import { withoutBackground } from '../support/without-background.ts';
import {
  plant,
  sessionKeyTypes,
  snapshot,
  userKeyTypes,
  wrongTypesFor,
} from '../support/wrong-types.ts';

/** Time stands still, so that a time to live changes only when somebody writes it. */
let server: FakeTimeRedis;
let time = Date.UTC(2030, 0, 1);
beforeAll(async () => {
  server = await startRedisOnFakeTime({ time });
});
afterAll(() => server.stop());

const clock = {
  now: () => time,
  advance: (ms: number) => {
    time += ms;
    server.setTime(time);
  },
};

/** Runs the attempt with the key planted, and shows that it was all or nothing. */
async function tryWith(
  ask: Ask,
  prefix: string,
  planted: { key: string; type: 'string' | 'list' | 'hash' | 'zset' | 'set' },
  attempt: Attempt,
): Promise<'refused' | 'done'> {
  const restore = await plant(ask, planted.key, planted.type);
  const before = await snapshot(ask, prefix);
  const error = await attempt.act().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) {
    await restore();
    await attempt.verify();
    return 'done';
  }
  expect(error).toBeInstanceOf(StoreUnavailableError);
  expect(String(error)).toContain('has something at a key of Holdfast’s that is of another type');
  expect(await snapshot(ask, prefix)).toEqual(before);
  await restore();
  await attempt.act();
  await attempt.verify();
  return 'refused';
}

async function setUp() {
  const place = new SharedNamespace(server.url, { clock: withoutBackground });
  const [one, other] = [await place.instance(), await place.instance()];
  const ask = await place.asking();
  const clear = async () => {
    const keys = (await ask('KEYS', `${place.keyPrefix}*`)) as string[];
    const left = keys.filter((each) => each !== place.keys.namespace);
    if (left.length > 0) await ask('DEL', ...left);
  };
  return { place, one, other, ask, clear };
}

describe('where a key is of another type, nothing is changed by', () => {
  it.each(operations)('$name', async ({ needs, prepare }) => {
    const { place, one, other, ask, clear } = await setUp();
    const refused = new Set<number>();
    const done = new Set<number>();
    for (const [at, type] of sessionKeyTypes.entries()) {
      for (const wrong of wrongTypesFor(type)) {
        const id = `s-${at}-${wrong}`;
        const keys = place.keys.session(id);
        const waiters = async () => String(await ask('ZCARD', keys[1]));
        const attempt = await prepare({ id, one, other, clock, waiters });
        const outcome = await tryWith(
          ask,
          place.keyPrefix,
          { key: keys[at] ?? '', type: wrong },
          attempt,
        );
        (outcome === 'refused' ? refused : done).add(at + 1);
        await clear();
      }
    }
    for (const position of needs) expect(done).not.toContain(position);
    for (const position of needs) expect(refused).toContain(position);
  });

  it.each<[string, readonly number[], (scene: Scene) => Promise<Attempt>]>([
    [
      'create with a user',
      [1, 2],
      async ({ one, id }) => ({
        act: () => one.store.create(id, { userId: 'ada' }),
        verify: async () => {
          const page = await one.store.listActive({ userId: 'ada' });
          expect(page.sessions).toMatchObject([{ id }]);
        },
      }),
    ],
    [
      "a page of a user's sessions",
      [1],
      async ({ one, id }) => {
        await one.store.create(id, { userId: 'ada' });
        return {
          act: () => one.store.listActive({ userId: 'ada' }),
          verify: async () => {
            const page = await one.store.listActive({ userId: 'ada' });
            expect(page.sessions).toMatchObject([{ id }]);
          },
        };
      },
    ],
    [
      "the end of all of a user's sessions",
      [1, 2],
      async ({ one, id }) => {
        await one.store.create(id, { userId: 'ada' });
        return {
          act: () => one.store.deleteUser('ada'),
          verify: async () => {
            expect(await one.store.get(id)).toBeNull();
          },
        };
      },
    ],
  ])("in a user's index, %s", async (_, needs, prepare) => {
    const { place, one, other, ask, clear } = await setUp();
    for (const [at, type] of userKeyTypes.entries()) {
      for (const wrong of wrongTypesFor(type)) {
        const id = `u-${at}-${wrong}`;
        const attempt = await prepare({ id, one, other, clock, waiters: async () => '' });
        const planted = { key: place.keys.user('ada')[at] ?? '', type: wrong };
        const outcome = await tryWith(ask, place.keyPrefix, planted, attempt);
        if (needs.includes(at + 1)) expect(outcome).toBe('refused');
        await clear();
      }
    }
  });
});

/** Of the session's keys those that are its own: places in the list of all. */
const own = [0, 1, 2, 3, 7, 8, 10];

describe('a session with something else at a key of its own ends, and leaves nothing that is in the way, by', () => {
  /** A session with something at each key, which has expired where `expired`; and one beside it. */
  async function damaged(damage: (ask: Ask, keys: readonly string[]) => Promise<unknown>) {
    const scene = await setUp();
    const { place, one, other, ask } = scene;
    await one.store.create('s', { userId: 'ada', status: 'handed_over' });
    await one.store.create('beside', { userId: 'ada' });
    await one.store.appendMessages('s', [{ role: 'user', content: 'Hi' }]);
    const keys = place.keys.session('s');
    await damage(ask, keys);
    const isGone = async () => {
      expect(await other.store.get('s')).toBeNull();
      expect(await other.store.countActive()).toBe(1);
      expect(await other.store.listActive({ status: 'handed_over' })).toMatchObject({
        sessions: [],
      });
      // Only what tells a repetition of the same removal is there, for a minute.
      const left = own.filter((at) => at !== 10).map((at) => keys[at] ?? '');
      expect(await ask('EXISTS', ...left)).toBe('0');
      if ((await ask('EXISTS', keys[10])) === '1') {
        expect(Number(await ask('PTTL', keys[10]))).toBeGreaterThan(0);
      }
      expect(await one.store.create('s')).toMatchObject({ version: 1 });
      expect(await other.store.messages('s')).toEqual([]);
    };
    return { ...scene, isGone };
  }

  const damages = [
    ...own.flatMap((at) =>
      wrongTypesFor(sessionKeyTypes[at] ?? 'string').map(
        (wrong) =>
          [
            `a ${wrong} at key ${at + 1}`,
            async (ask: Ask, keys: readonly string[]) => {
              await ask('DEL', keys[at] ?? '');
              await plant(ask, keys[at] ?? '', wrong);
            },
          ] as const,
      ),
    ),
    ...['rubbish', Array(26).fill('x').join(' ')].map(
      (line) =>
        [
          `the header "${line}"`,
          (ask: Ask, [key = '']: readonly string[]) => ask('HSET', key, 'h', line),
        ] as const,
    ),
    [
      'waiters that are none',
      (ask: Ask, [, waiters = '']: readonly string[]) => ask('ZADD', waiters, '1', 'rubbish'),
    ] as const,
    ...['rubbish', '[1,2,3]'].map(
      (text) =>
        [
          `"${text}" in the grave`,
          (ask: Ask, keys: readonly string[]) => ask('RPUSH', keys[10] ?? '', text),
        ] as const,
    ),
  ];

  it.each(damages)('a deletion, once: %s', async (_, damage) => {
    const { one, other, isGone } = await damaged(damage);
    const events: unknown[] = [];
    one.store.on('deleted', (event) => events.push(event));
    expect(await one.store.delete('s')).toBe(true);
    expect(events).toMatchObject([{ sessionId: 's' }]);
    expect(await other.store.delete('s')).toBe(false);
    await isGone();
  });

  it.each(damages)("the end of all of its user's sessions: %s", async (_, damage) => {
    const { one, isGone, other } = await damaged(damage);
    expect(await one.store.deleteUser('ada')).toBe(2);
    await other.store.create('beside');
    await isGone();
  });

  it.each(damages)(
    'a cleanup, when it is over, which goes on to the others: %s',
    async (_, damage) => {
      const { one, isGone, other } = await damaged(damage);
      clock.advance(1_900_000);
      expect(await one.store.cleanupExpired()).toBe(2);
      await other.store.create('beside');
      await isGone();
    },
  );

  it('a cleanup also of those beside one that cannot be removed, which is told in the end', async () => {
    const { place, one, other, ask } = await setUp();
    const ids = Array.from({ length: 450 }, (_, at) => `s-${at}`);
    await Promise.all(ids.map((id) => one.store.create(id)));
    const [first = ''] = ids;
    // What sessions share is not theirs to remove: those of that bucket stay until somebody mends it.
    const leases = place.keys.session(first)[5] ?? '';
    const beside = ids.filter((id) => place.keys.session(id)[5] !== leases).length;
    const restore = await plant(ask, leases, 'string');
    clock.advance(1_900_000);
    await expect(one.store.cleanupExpired()).rejects.toThrow(StoreUnavailableError);
    await restore();
    expect(await other.store.cleanupExpired()).toBe(ids.length - beside);
  });

  it('a deletion whose reply was lost: the repetition says the same', async () => {
    const { place, one, ask } = await damaged((ask, [key = '']) => plantAt(ask, key));
    const args = ['s', place.keys.inboxPrefix('s'), '0', 'delete', '-', 'nonce'];
    const remove = () =>
      ask('EVALSHA', scripts.remove.sha1, '14', ...place.keys.session('s'), ...args);
    expect(await remove()).toEqual(['cleared']);
    expect(await remove()).toEqual(['cleared']);
    expect(await one.store.delete('s')).toBe(false);
  });

  it('no deletion that is meant for another session', async () => {
    const { place, one, ask } = await damaged((ask, [key = '']) => plantAt(ask, key));
    const args = ['s', place.keys.inboxPrefix('s'), '0', 'delete', 'an-incarnation', 'nonce'];
    const reply = await ask(
      ...['EVALSHA', scripts.remove.sha1, '14', ...place.keys.session('s'), ...args],
    );
    expect(reply).toEqual(['none']);
    expect(await one.store.delete('s')).toBe(true);
  });
});

it.each(['', '60000'])(
  'what is not a count is not counted over, with the time to live "%s"',
  async (ttl) => {
    const { place, one, ask } = await setUp();
    await one.store.hit('a', 1_000);
    const [key = ''] = (await ask(
      'KEYS',
      place.keys.rate('*').replace(/\{\d+\}/, '*'),
    )) as string[];
    for (const wrong of wrongTypesFor('string')) {
      await ask('DEL', key);
      await plant(ask, key, wrong);
      if (ttl !== '') await ask('PEXPIRE', key, ttl);
      const before = await snapshot(ask, place.keyPrefix);
      await expect(one.store.hit('a', 1_000)).rejects.toThrow(StoreUnavailableError);
      expect(await snapshot(ask, place.keyPrefix)).toEqual(before);
    }
    await ask('DEL', key);
    expect((await one.store.hit('a', 1_000)).count).toBe(1);
  },
);

async function plantAt(ask: Ask, key: string): Promise<void> {
  await ask('DEL', key);
  await ask('SET', key, 'planted');
}

describe("where a user's index cannot be written", () => {
  it('a session is deleted all the same', async () => {
    const { place, one, ask } = await setUp();
    await one.store.create('s', { userId: 'ada' });
    const restore = await plant(ask, place.keys.user('ada')[0], 'string');
    expect(await one.store.delete('s')).toBe(true);
    await restore();
    expect(await one.store.get('s')).toBeNull();
    expect(await one.store.listActive({ userId: 'ada' })).toMatchObject({ sessions: [] });
  });
});
