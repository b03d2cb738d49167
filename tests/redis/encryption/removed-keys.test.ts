import { createCodec, generateKey, KeyRing } from 'holdfast/encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DecryptionError } from '../../../packages/holdfast/src/lib/errors/errors.ts';
import type { ConnectRedis } from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { rejection } from '../connection/fixtures.ts';
import { HeldCalls } from '../support/lines/held-calls.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const [old, next] = [generateKey(), generateKey()];
/** So that what is kept is asked for no sooner than it is looked at. */
const l1 = { stalenessMs: 60_000 };

async function setUp(options: { l1?: typeof l1; connect?: ConnectRedis } = { l1 }) {
  const place = new SharedNamespace(server.url);
  const ring = KeyRing.parse(old);
  const codec = createCodec(ring, { namespace: place.keyPrefix });
  const instance = await place.instance({ codec, ...options });
  const { store } = instance;
  const created = await store.create('s', { userId: 'ada', metadata: { plan: 'pro' } });
  const hits = async () => (await store.getStats()).l1CacheHits;
  const isKept = async () => {
    expect(await store.get('s')).toEqual(created);
    return options.l1 === undefined || (await hits()) > 0;
  };
  await expect.poll(isKept, { timeout: 60_000, interval: 1 }).toBe(true);
  return { ...{ ring, instance, store, created, hits } };
}

describe('when a key is removed', () => {
  it.each([[{ l1 }], [{}]])(
    'what it has opened is closed at once, until it is back: %j',
    async (options) => {
      const { ring, store, created } = await setUp(options);
      ring.replace(next);
      for (const fresh of [false, true, false]) {
        expect(await rejection(store.get('s', { fresh }))).toBeInstanceOf(DecryptionError);
      }
      const page = await store.listActive();
      expect(page.sessions).toEqual([]);
      expect(page.unreadable).toMatchObject([{ id: 's', isDamaged: false }]);
      expect(await rejection(store.update('s', { escalated: true }))).toBeInstanceOf(
        DecryptionError,
      );
      ring.replace(`${next},${old}`);
      expect(await store.get('s')).toEqual(created);
    },
  );

  it('what was asked for before is not kept', async () => {
    const { ring, store, created } = await setUp();
    const asked = store.get('s', { fresh: true });
    ring.replace(next);
    // Redis said that what was decoded is still so.
    expect(await asked).toEqual(created);
    expect(await rejection(store.get('s'))).toBeInstanceOf(DecryptionError);
  });

  it('what is being created with it is not kept', async () => {
    const calls = new HeldCalls();
    const { ring, store } = await setUp({ l1, connect: calls.connect });
    // Its bucket is in use already, so that it is encoded once.
    await store.create('t');
    await store.delete('t');
    const held = calls.hold('create', 't');
    const created = store.create('t');
    await held.reached;
    ring.replace(next);
    held.release();
    await created;
    expect(await rejection(store.get('t', { fresh: true }))).toBeInstanceOf(DecryptionError);
  });

  it('a turn goes on where everything has been encoded anew', async () => {
    const { ring, instance, store } = await setUp();
    const reply = await instance.turn('s', { userId: 'ada' }, async (turn) => {
      ring.replace(`${next},${old}`);
      await store.upkeep.rekey();
      ring.replace(next);
      turn.append({ role: 'user', content: 'Hi' });
      turn.increment('messageCount');
      await turn.checkpoint();
      turn.update({ escalated: true });
      return (await turn.messages()).map(({ content }) => content);
    });
    expect(reply).toEqual(['Hi']);
    expect(await store.get('s')).toMatchObject({ escalated: true, messageCount: 1 });
  });
});

it('what was decoded stays where a key is added, or another one writes', async () => {
  const { ring, store, created, hits } = await setUp();
  ring.replace(`${old},${next}`);
  ring.replace(`${next},${old}`);
  const before = await hits();
  expect(await store.get('s')).toEqual(created);
  expect(await hits()).toBe(before + 1);
});
