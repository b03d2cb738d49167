import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noCredentials } from '../../../packages/holdfast/src/lib/model/session.ts';
import { type FakeTimeRedis, startRedisOnFakeTime } from '../../servers/redis-server.ts';
import { encrypting } from '../support/encryption.ts';
import { flakyProxyForTest } from '../support/lines/flaky-proxy.ts';
import { callOf } from '../support/requests.ts';
import { type InstanceOptions, SharedNamespace } from '../support/shared-namespace.ts';

/** What a removed session leaves behind is kept for a minute, by the server's clock. */
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

async function twoInstances(options: InstanceOptions = {}) {
  const place = new SharedNamespace(server.url, options);
  return { place, one: await place.instance(), other: await place.instance() };
}

describe('in a session that another instance made anew', () => {
  it('an increment whose reply is lost counts once', async () => {
    const { place, other } = await twoInstances();
    const proxy = await flakyProxyForTest(server.port, { rate: 0 });
    const one = await place.instance({ url: proxy.url, timeoutMs: 60_000 });
    await one.store.create('s');
    await one.store.incrementCounter('s', 'before');
    await other.store.delete('s');
    await other.store.create('s');
    const lost = proxy.cutNextReply(callOf('write'));
    expect(await one.store.incrementCounter('s', 'clicks')).toBe(1);
    await lost;
    expect((await other.store.get('s'))?.counters).toEqual({ clicks: 1 });
  });

  it('appended messages are bound to that session, and to no earlier one', async () => {
    // A piece that was encrypted for another incarnation cannot be read.
    const { one, other } = await twoInstances({ codec: encrypting('test:') });
    await one.store.create('s');
    await other.store.delete('s');
    await other.store.create('s');
    const appended = await one.store.appendMessages('s', [{ role: 'operator', content: 'Hi' }]);
    expect(appended.map(({ seq, content }) => [seq, content])).toEqual([[1, 'Hi']]);
    expect(await other.store.messages('s')).toEqual(appended);
  });

  it('a write under a nonce of the caller’s own ends', async () => {
    const { one } = await twoInstances();
    await one.store.create('s');
    for (let n = 0; n < 60; n++) await one.store.incrementCounter('s', 'clicks');
    await one.store.delete('s');
    await one.store.create('s');
    const updated = await one.store.update('s', { escalated: true }, { nonce: 'own' });
    expect(updated).toMatchObject({ version: 2, escalated: true });
  });

  it('a nonce of the removed one is free', async () => {
    const { one, other } = await twoInstances();
    const nonce = 'daily';
    await one.store.create('s');
    await one.store.incrementCounter('s', 'clicks', 5, { nonce });
    await other.store.delete('s');
    await other.store.create('s');
    expect(await other.store.incrementCounter('s', 'clicks', 1, { nonce })).toBe(1);
    expect((await other.store.get('s'))?.counters).toEqual({ clicks: 1 });
  });
});

describe('a nonce under which a session is created twice', () => {
  it.each([
    ['at once', 0],
    ['when nothing is left of the first', 61_000],
  ])('never makes a warm instance serve the first: %s', async (_, ms) => {
    const { one, other } = await twoInstances();
    const create = (of: string) => ({
      nonce: 'setup',
      credentials: { ...noCredentials, tokenHash: `token of the ${of}` },
    });
    await one.store.create('s', { metadata: { of: 'first' } }, create('first'));
    expect((await one.store.get('s'))?.metadata).toEqual({ of: 'first' });
    await other.store.delete('s');
    advance(ms);
    await other.store.create('s', { metadata: { of: 'second' } }, create('second'));
    for (const { store } of [one, other]) {
      expect((await store.get('s'))?.metadata).toEqual({ of: 'second' });
      const stored = await store.getWithCredentials('s');
      expect(stored?.credentials.tokenHash).toBe('token of the second');
      expect(stored?.session.metadata).toEqual({ of: 'second' });
    }
  });

  it.each(['one', 'other'] as const)(
    'leaves a session, when it is %s that creates it again',
    async (name) => {
      const instances = await twoInstances();
      const nonce = 'setup';
      await instances.one.store.create('s', { metadata: { a: 1 } }, { nonce });
      expect(await instances.one.store.delete('s')).toBe(true);
      const created = await instances[name].store.create('s', { metadata: { a: 1 } }, { nonce });
      expect(created).toMatchObject({ version: 1, metadata: { a: 1 } });
      expect(await instances.one.store.get('s')).toEqual(created);
      expect(await instances.other.store.get('s')).toEqual(created);
    },
  );
});
