import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { flakyProxyForTest } from '../support/lines/flaky-proxy.ts';
import { HeldCalls } from '../support/lines/held-calls.ts';
import { callOf } from '../support/requests.ts';
import { type Instance, SharedNamespace } from '../support/shared-namespace.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

/** Two instances; calls of `one` can be held up, and their replies lost. */
async function twoInstances() {
  const place = new SharedNamespace(server.url);
  const held = new HeldCalls();
  const proxy = await flakyProxyForTest(server.port, { rate: 0 });
  const timeoutMs = 60_000;
  const one = await place.instance({ url: proxy.url, connect: held.connect, timeoutMs });
  return { place, one, other: await place.instance({ timeoutMs }), held, proxy };
}

async function isOfAda({ store }: Instance): Promise<void> {
  expect(await store.get('s')).toMatchObject({ userId: 'ada' });
  expect((await store.listActive({ userId: 'ada' })).sessions).toMatchObject([{ id: 's' }]);
  expect(await store.deleteUser('ada')).toBe(1);
  expect(await store.get('s')).toBeNull();
}

it('a session that ends before its place in the user’s index is confirmed leaves none there', async () => {
  const { place, one, other, held } = await twoInstances();
  const ask = await place.asking();
  const confirming = held.hold('user', 'confirm', 's');
  const created = one.store.create('s', { userId: 'ada' });
  await confirming.reached;
  expect(await other.store.delete('s')).toBe(true);
  confirming.release();
  await created;
  expect(await ask('EXISTS', place.keys.user('ada')[0])).toBe('0');
});

it('a session whose id was asked for again leaves nothing in the user’s index', async () => {
  const { place, one, other } = await twoInstances();
  const ask = await place.asking();
  await other.store.create('s', { userId: 'ada' });
  await expect(one.store.create('s', { userId: 'ada' })).rejects.toThrow('exists already');
  expect(await other.store.delete('s')).toBe(true);
  expect(await ask('EXISTS', place.keys.user('ada')[0])).toBe('0');
});

it('a session that ends before the reply that confirmed its place came leaves none there', async () => {
  const { place, other, held, proxy, one } = await twoInstances();
  const ask = await place.asking();
  const confirming = held.hold('user', 'confirm', 's');
  const created = one.store.create('s', { userId: 'ada' });
  await confirming.reached;
  expect(await other.store.delete('s')).toBe(true);
  const lost = proxy.cutNextReply(callOf('user', 'confirm', 's'));
  confirming.release();
  await lost;
  await created;
  expect(await ask('EXISTS', place.keys.user('ada')[0])).toBe('0');
});

it('a session that two writers gave to the user leaves nothing in the user’s index', async () => {
  const { place, one, other, held } = await twoInstances();
  const ask = await place.asking();
  await other.store.create('s');
  const writing = held.hold('write', 's');
  const given = one.store.update('s', { userId: 'ada' });
  await writing.reached;
  await other.store.update('s', { userId: 'ada' });
  writing.release();
  await given;
  expect(await other.store.delete('s')).toBe(true);
  expect(await ask('EXISTS', place.keys.user('ada')[0])).toBe('0');
});

describe('a session that is the user’s', () => {
  it('stays in the user’s index when one of its id that was the user’s leaves that late', async () => {
    const { one, other, held } = await twoInstances();
    await other.store.create('s', { userId: 'ada' });
    const leaving = held.hold('user', 's');
    const deleted = one.store.delete('s');
    await leaving.reached;
    await other.store.create('s', { userId: 'ada' });
    leaving.release();
    expect(await deleted).toBe(true);
    await isOfAda(other);
  });

  it('is there when one of its id that was the user’s leaves while it begins', async () => {
    const { one, other, held } = await twoInstances();
    await other.store.create('s', { userId: 'ada' });
    const beginning = held.hold('create', 's');
    const created = one.store.create('s', { userId: 'ada' });
    await beginning.reached;
    expect(await other.store.delete('s')).toBe(true);
    beginning.release();
    await created;
    await isOfAda(other);
  });

  it('is there when another one of its id has begun and ended while it begins', async () => {
    const { one, other, held } = await twoInstances();
    const beginning = held.hold('create', 's');
    const created = one.store.create('s', { userId: 'ada' });
    await beginning.reached;
    await other.store.create('s', { userId: 'ada' });
    expect(await other.store.delete('s')).toBe(true);
    beginning.release();
    await created;
    await isOfAda(other);
  });

  it('is there when another creation of its id is refused while it begins', async () => {
    const { one, other, held } = await twoInstances();
    await other.store.create('s', { userId: 'bob' });
    const beginning = held.hold('create', 's');
    const created = one.store.create('s', { userId: 'ada' });
    await beginning.reached;
    await expect(other.store.create('s', { userId: 'ada' })).rejects.toThrow('exists already');
    expect(await other.store.delete('s')).toBe(true);
    beginning.release();
    await created;
    await isOfAda(other);
  });

  it('stays in the user’s index when an earlier creation that was refused leaves that late', async () => {
    const { one, other, held } = await twoInstances();
    await other.store.create('s', { userId: 'bob' });
    const beginning = held.hold('create', 's');
    const created = one.store.create('s', { userId: 'ada' });
    await beginning.reached;
    const leaving = held.hold('user', 'leave', 's');
    beginning.release();
    await leaving.reached;
    await other.store.delete('s');
    await other.store.create('s', { userId: 'ada' });
    leaving.release();
    await expect(created).rejects.toThrow('exists already');
    await isOfAda(other);
  });
});
