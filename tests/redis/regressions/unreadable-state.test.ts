import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DecryptionError } from '../../../packages/holdfast/src/lib/errors/errors.ts';
import type { SessionStatus } from '../../../packages/holdfast/src/lib/model/session.ts';
import { type FakeTimeRedis, startRedisOnFakeTime } from '../../servers/redis-server.ts';
import { RecordingLogger, rejection } from '../connection/fixtures.ts';
import { encrypting } from '../support/encryption.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';

let server: FakeTimeRedis;
let time = Date.UTC(2030, 0, 1);
beforeAll(async () => {
  server = await startRedisOnFakeTime({ time });
});
afterAll(() => server.stop());

const idleTimeoutMs = 60_000;
/** In a session's header. */
const tokenAt = 7;
const warning = 'A session that ended cannot be read';

const warned = (logger: RecordingLogger) =>
  logger.messages('warn').filter((message) => message === warning);

/** The sessions "s" and "t", whose states nobody can read. */
async function setUp() {
  const logger = new RecordingLogger();
  const place = new SharedNamespace(server.url, { idleTimeoutMs, logger });
  const ask = await place.asking();
  const [one, other] = [await place.instance(), await place.instance()];
  for (const id of ['s', 't']) {
    await one.store.create(id, { userId: 'ada' });
    expect(await ask('HSET', place.keys.session(id)[0], 'd', 'garbage')).toBe('0');
    expect(await rejection(other.store.get(id))).toBeInstanceOf(DecryptionError);
  }
  return { ask, logger, one, other, place };
}

describe('a session whose state cannot be read', () => {
  it.each(['one', 'other'] as const)(
    'is deleted as any other, with a warning, by %s instance',
    async (name) => {
      const { logger, ...instances } = await setUp();
      expect(await instances[name].store.delete('s')).toBe(true);
      expect(warned(logger)).toEqual([warning]);
      expect(await instances.other.store.exists('s')).toBe(false);
      expect(await instances[name].store.delete('s')).toBe(false);
      expect(await instances.other.store.countActive()).toBe(1);
      const created = await instances.other.store.create('s');
      expect(await instances.one.store.get('s')).toEqual(created);
    },
  );

  it('is deleted also where its token’s place has what no token is', async () => {
    const place = new SharedNamespace(server.url, { codec: encrypting('damaged') });
    const ask = await place.asking();
    const { store } = await place.instance();
    await store.create('s');
    const [key] = place.keys.session('s');
    const header = String(await ask('HGET', key, 'h')).split(' ');
    await ask('HSET', key, 'h', header.with(tokenAt, '=%zz').join(' '));
    expect(await rejection(store.get('s', { fresh: true }))).toBeInstanceOf(DecryptionError);
    expect(await store.delete('s')).toBe(true);
    expect(await store.exists('s')).toBe(false);
  });

  it.each([{}, { userId: 'ada' }])(
    'is named by a page of those that there are: %j',
    async (which) => {
      const { one, other } = await setUp();
      await one.store.create('u', { userId: 'ada' });
      for (const { store } of [one, other]) {
        const { sessions, unreadable, cursor } = await store.listActive(which);
        expect(sessions.map(({ id }) => id)).toEqual(['u']);
        expect(unreadable.map(({ id, code }) => `${id} ${code}`).toSorted()).toEqual([
          's DECRYPTION',
          't DECRYPTION',
        ]);
        expect(cursor).toBeNull();
      }
      expect(await one.store.upkeep.entriesOf('ada')).toHaveLength(3);
    },
  );

  it('is named under the status that its header has, and under no other', async () => {
    const { ask, place, one, other } = await setUp();
    await one.store.create('u', { userId: 'ada', status: 'closed' });
    await ask('HSET', place.keys.session('u')[0], 'd', 'garbage');
    for (const which of [{}, { userId: 'ada' }]) {
      const named = async (status: SessionStatus) => {
        const { sessions, unreadable } = await other.store.listActive({ ...which, status });
        expect(sessions).toEqual([]);
        return unreadable.map(({ id }) => id).toSorted();
      };
      expect(await named('active')).toEqual(['s', 't']);
      expect(await named('closed')).toEqual(['u']);
      expect(await named('handed_over')).toEqual([]);
    }
  });

  it('expires as any other: cleaning and counting go on, with a warning', async () => {
    const { logger, one, other } = await setUp();
    expect(await other.store.countActive()).toBe(2);
    await one.store.create('u', { userId: 'ada' });
    time += idleTimeoutMs + 1;
    server.setTime(time);
    expect(await other.store.cleanupExpired()).toBe(3);
    expect(warned(logger)).toEqual([warning, warning]);
    expect(await other.store.cleanupExpired()).toBe(0);
    expect(await other.store.countActive()).toBe(0);
  });
});
