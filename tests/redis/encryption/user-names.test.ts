import { createCodec, generateKey, KeyRing } from 'holdfast/encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { connected, rejection } from '../connection/fixtures.ts';
import { HeldCalls } from '../support/lines/held-calls.ts';
import { type InstanceOptions, SharedNamespace } from '../support/shared-namespace.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const [old, next] = [generateKey(), generateKey()];

function setUp() {
  const place = new SharedNamespace(server.url);
  const codecOf = (ring: KeyRing) => createCodec(ring, { namespace: place.keyPrefix });
  const instance = (keys: string | KeyRing, options: InstanceOptions = {}) =>
    place.instance({
      codec: codecOf(typeof keys === 'string' ? KeyRing.parse(keys) : keys),
      ...options,
    });
  return { place, codecOf, instance };
}

describe('while the first key changes', () => {
  it('no session is lost that is being created for a user', async () => {
    const { instance } = setUp();
    const ring = KeyRing.parse(`${old},${next}`);
    const calls = new HeldCalls();
    const { store } = await instance(ring, { connect: calls.connect });
    const held = calls.hold('create');
    const creating = store.create('s', { userId: 'ada' });
    await held.reached;
    ring.replace(`${next},${old}`);
    held.release();
    await creating;
    expect((await store.get('s'))?.userId).toBe('ada');
    expect((await store.listActive({ userId: 'ada' })).sessions).toHaveLength(1);
  });

  it('no session is lost that is given to a user', async () => {
    const { instance } = setUp();
    const ring = KeyRing.parse(`${old},${next}`);
    const calls = new HeldCalls();
    const { store } = await instance(ring, { connect: calls.connect });
    await store.create('s');
    const held = calls.hold('write');
    const claiming = store.update('s', { userId: 'ada' });
    await held.reached;
    ring.replace(`${next},${old}`);
    held.release();
    await claiming;
    expect((await store.get('s'))?.userId).toBe('ada');
    expect((await store.listActive({ userId: 'ada' })).sessions).toHaveLength(1);
  });

  it.each(['evict_oldest', 'reject'] as const)(
    'the cap holds for instances of both orders: %s',
    async (maxPerUserPolicy) => {
      const { instance } = setUp();
      const cap = { maxPerUser: 3, maxPerUserPolicy };
      const one = await instance(`${old},${next}`, cap);
      const other = await instance(`${next},${old}`, cap);
      const created = await Promise.allSettled(
        Array.from({ length: 50 }, (_, n) =>
          (n % 2 === 0 ? one : other).store.create(`s-${n}`, { userId: 'ada' }),
        ),
      );
      expect(await one.store.countActive()).toBeLessThanOrEqual(3);
      for (const outcome of created) {
        if (outcome.status === 'fulfilled') continue;
        expect(outcome.reason.name).toBe('SessionLimitError');
      }
    },
  );

  it('the cap counts what was given to a user under the key before', async () => {
    const { instance } = setUp();
    const before = await instance(old);
    for (const id of ['s', 't']) await before.store.create(id, { userId: 'ada' });
    const { store } = await instance(`${next},${old}`, { maxPerUser: 2 });
    await store.create('u');
    await store.update('u', { userId: 'ada' });
    expect(await store.get('s')).toBeNull();
    expect((await store.listActive({ userId: 'ada' })).sessions).toHaveLength(2);
  });

  it('a user is ended with a session whose entry goes from one name to another just then', async () => {
    const { place, codecOf, instance } = setUp();
    const before = await instance(`${old},${next}`);
    await before.store.create('s', { userId: 'ada' });
    const calls = new HeldCalls();
    const revoker = await instance(`${next},${old}`, { connect: calls.connect });
    const [oldName] = codecOf(KeyRing.parse(old)).userNames('ada');
    const held = calls.hold('user', place.keys.user(oldName)[0], 'page');
    const revoking = revoker.revokeUser('ada');
    await held.reached;
    const other = await instance(`${next},${old}`);
    await other.store.upkeep.rekey();
    held.release();
    expect(await revoking).toBe(1);
    expect(await other.store.get('s')).toBeNull();
  });
});

describe('a session that cannot be read', () => {
  it('keeps no other session of its user alive, nor itself', async () => {
    const { place, instance } = setUp();
    const { store } = await instance(old);
    for (let n = 0; n < 260; n++) await store.create(`s-${n}`, { userId: 'ada' });
    const ask = await place.asking();
    await ask('HSET', place.keys.session('s-0')[0], 'd', 'garbage');
    const other = await instance(old);
    expect(await other.revokeUser('ada')).toBe(260);
    expect(await other.store.countActive()).toBe(0);
  });

  it('does not keep its user from beginning another one at the cap', async () => {
    const { place, instance } = setUp();
    const { store } = await instance(old, { maxPerUser: 2 });
    await store.create('s', { userId: 'ada' });
    await store.create('t', { userId: 'ada' });
    const ask = await place.asking();
    await ask('HSET', place.keys.session('s')[0], 'd', 'garbage');
    const other = await instance(old, { maxPerUser: 2 });
    await other.store.create('u', { userId: 'ada' });
    expect(await other.store.get('s')).toBeNull();
    expect(await other.store.countActive()).toBe(2);
  });

  it('is ended with its user where it was put back', async () => {
    const { place, instance } = setUp();
    const warm = await instance(old);
    await warm.store.create('s', { userId: 'ada' });
    const attacker = await connected(server.url);
    const key = place.keys.session('s')[0];
    const dump = (await attacker.send(['DUMP', key])) as Buffer;
    await warm.store.update('s', { metadata: { a: 1 } });
    await attacker.send(['RESTORE', key, '0', dump, 'REPLACE']);
    expect((await rejection(warm.store.get('s'))).name).toBe('DecryptionError');
    expect(await warm.revokeUser('ada')).toBe(1);
    expect(await (await instance(old)).store.get('s')).toBeNull();
  });
});
