import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StoreUnavailableError } from '../../../packages/holdfast/src/lib/errors/errors.ts';
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
