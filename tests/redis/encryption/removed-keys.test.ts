import { createCodec, generateKey, KeyRing } from 'holdfast/encryption';
import { FakeClock } from 'holdfast/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DecryptionError } from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { rejection } from '../connection/fixtures.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const ttlMs = 60_000;
/** What is too old goes in beats. */
const beatMs = 100;

it('a session whose key is removed stays readable where it is decoded, until nobody asks for so long', async () => {
  const place = new SharedNamespace(server.url);
  const instance = async (l1?: { ttlMs: number }) => {
    const ring = KeyRing.parse(old);
    const codec = createCodec(ring, { namespace: place.keyPrefix });
    const clock = new FakeClock();
    return { ring, clock, ...(await place.instance({ codec, clock, ...(l1 && { l1 }) })) };
  };
  const [old, next] = [generateKey(), generateKey()];
  const [one, plain] = [await instance({ ttlMs }), await instance()];
  const created = await one.store.create('s', { metadata: { plan: 'pro' } });
  for (const { ring, store } of [one, plain]) {
    expect(await store.get('s')).toEqual(created);
    ring.replace(next);
  }

  expect(await rejection(plain.store.get('s'))).toBeInstanceOf(DecryptionError);
  for (let calls = 0; calls < 4; calls++) {
    expect(await one.store.get('s', { fresh: true })).toEqual(created);
    await one.clock.advance(ttlMs - 1);
    expect(await one.store.get('s')).toEqual(created);
  }
  await one.clock.advance(ttlMs + beatMs);
  expect(await rejection(one.store.get('s'))).toBeInstanceOf(DecryptionError);
});
