import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  OutcomeUnknownError,
  StoreUnavailableError,
} from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { rejection } from '../connection/fixtures.ts';
import { outOfTime } from '../support/clock/out-of-time.ts';
import { flakyProxyForTest } from '../support/lines/flaky-proxy.ts';
import { HeldCalls } from '../support/lines/held-calls.ts';
import { lossyScene } from '../support/lines/lossy-scene.ts';
import { callOf } from '../support/requests.ts';
import { type Instance, SharedNamespace } from '../support/shared-namespace.ts';
import { late, patient } from './late.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

describe('where of a batch of sessions one may have been written', () => {
  it('each tells what became of it, and that one is repeated under its own nonce', async () => {
    const { one, other, proxy, recovered } = await lossyScene(server, patient);
    await other.store.create('taken');
    // Their buckets are in use already.
    for (const id of ['a', 'b']) {
      await other.store.create(id);
      await other.store.delete(id);
    }
    proxy.refuse();
    const lost = proxy.cutNextReply(callOf('create', 'b'));
    const batch = one.store.setBatch(['a', 'taken', 'b'].map((id) => ({ id, data: {} })));
    await lost;
    const results = await outOfTime(batch, patient.timeoutMs / 2);
    expect(results).toMatchObject([
      { id: 'a', session: { id: 'a', version: 1 } },
      { id: 'taken', error: { code: 'VERSION_CONFLICT' } },
      { id: 'b', error: { code: 'OUTCOME_UNKNOWN' } },
    ]);
    proxy.accept();
    await recovered();
    const [, , unknown] = results;
    const error = unknown !== undefined && 'error' in unknown ? unknown.error : null;
    const { nonce } = error as OutcomeUnknownError;
    expect(await one.store.set('b', {}, { nonce })).toMatchObject({ id: 'b', version: 1 });
    expect(await other.store.countActive()).toBe(3);
  });

  it('it fails as a whole where nothing was sent', async () => {
    const { one, proxy } = await lossyScene(server, patient);
    proxy.refuse();
    const lost = proxy.cutNextReply(callOf('read'));
    expect(await late(one.store.exists('s'), lost)).toBeInstanceOf(StoreUnavailableError);
    const batch = one.store.setBatch(['a', 'b'].map((id) => ({ id, data: {} })));
    expect(await late(batch)).toBeInstanceOf(StoreUnavailableError);
  });
});

describe('where of several sessions one cannot be ended', () => {
  /** The sessions "a" and "b" in other buckets, that of "a" with an index that is none. */
  async function setUp() {
    const place = new SharedNamespace(server.url);
    const other = await place.instance();
    const bucketOf = (id: string) => place.keys.bucketOf(id);
    const b = ['b1', 'b2', 'b3', 'b4', 'b5'].find((id) => bucketOf(id) !== bucketOf('a')) ?? '';
    for (const id of ['a', b]) await other.store.create(id, { userId: 'ada' });
    const ask = await place.asking();
    const spoil = async () => {
      await ask('DEL', place.keys.expiry(bucketOf('a')));
      await ask('SET', place.keys.expiry(bucketOf('a')), 'nothing');
    };
    return { place, other, b, bucketOf, spoil };
  }

  it.each<[string, (instance: Instance, ids: readonly string[]) => Promise<unknown>]>([
    ['the end of a user’s sessions', ({ store }) => store.deleteUser('ada')],
    ['a batch', ({ store }, ids) => store.deleteBatch(ids)],
  ])('%s says of another one’s lost reply that it may have ended', async (_, end) => {
    const { place, other, b, spoil } = await setUp();
    await spoil();
    const proxy = await flakyProxyForTest(server.port, { rate: 0 });
    const calls = new HeldCalls();
    const { connect } = calls;
    const one = await place.instance({ ...patient, url: proxy.url, connect });
    const held = calls.hold('remove', b);
    const failure = rejection(end(one, ['a', b]));
    await held.reached;
    // With this reply there is that of the other one, which was sent before.
    await one.store.exists('a');
    proxy.refuse();
    const lost = proxy.cutNextReply(callOf('remove', b));
    held.release();
    await lost;
    const error = await outOfTime(failure, patient.timeoutMs / 2);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(await other.store.get(b)).toBeNull();
  });

  it.each<[string, (instance: Instance) => Promise<unknown>]>([
    ['the end of a user’s sessions', ({ store }) => store.deleteUser('ada')],
    ['the end of all sessions', ({ store }) => store.deleteAll()],
  ])('%s says so, and not that the rest cannot be found after it', async (_, end) => {
    const { one, other, proxy } = await lossyScene(server, patient);
    // More than one page of them.
    const ids = Array.from({ length: 300 }, (_, n) => `s${n}`);
    await Promise.all(ids.map((id) => other.store.create(id, { userId: 'ada' })));
    proxy.refuse();
    const lost = proxy.cutNextReply(callOf('remove'));
    expect(await late(end(one), lost)).toBeInstanceOf(OutcomeUnknownError);
  });

  it('the end of all of them ends the others', async () => {
    const { other, bucketOf, spoil } = await setUp();
    // More than one page of them.
    const ids = Array.from({ length: 300 }, (_, n) => `s${n}`);
    await Promise.all(ids.map((id) => other.store.create(id)));
    await spoil();
    expect(await rejection(other.store.deleteAll())).toBeInstanceOf(StoreUnavailableError);
    const left = ids.filter((id) => bucketOf(id) !== bucketOf('a'));
    expect((await other.store.getBatch(left, { fresh: true })).size).toBe(0);
  });
});
