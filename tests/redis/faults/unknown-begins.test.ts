import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  OutcomeUnknownError,
  StoreUnavailableError,
} from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { FakeClock } from '../../../packages/holdfast/src/lib/testing/fake-clock.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { rejection } from '../connection/fixtures.ts';
import { outOfTime } from '../support/clock/out-of-time.ts';
import { flakyProxyForTest } from '../support/lines/flaky-proxy.ts';
import { lossyScene } from '../support/lines/lossy-scene.ts';
import { callOf } from '../support/requests.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';
import { late, patient } from './late.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

describe('where a turn does not learn that it waits for its session', () => {
  it('it leaves the queue when it has given up', async () => {
    const { one, other, proxy, isWaiting } = await lossyScene(server, patient);
    await other.store.create('s');
    const holder = await other.begin('s');
    proxy.refuse();
    const lost = proxy.cutNextReply(callOf('begin'));
    const error = await late(
      one.turn('s', async () => {}),
      lost,
    );
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    await isWaiting();
    proxy.accept();
    const waiters = async () => (await other.store.getStats()).waiters;
    await expect.poll(waiters, { timeout: 60_000 }).toBe(0);
    await other.store.release(holder.lease);
  });

  it('it says so, and leaves the queue, when it waits and cannot ask again', async () => {
    const place = new SharedNamespace(server.url);
    const proxy = await flakyProxyForTest(server.port, { rate: 0 });
    const clock = new FakeClock();
    const one = await place.instance({ ...patient, url: proxy.url, clock });
    const other = await place.instance({ timeoutMs: 60_000 });
    const ask = await place.asking();
    const waiters = () => ask('ZCARD', place.keys.session('s')[1]);
    await other.store.create('s');
    const holder = await other.begin('s');
    const failure = rejection(one.turn('s', { waitSeconds: 1_000_000 }, async () => {}));
    await expect.poll(waiters, { timeout: 60_000 }).toBe('1');
    proxy.refuse();
    const lost = proxy.cutNextReply(callOf('read'));
    const read = rejection(one.store.exists('s'));
    await lost;
    // It asks again when the lease should have ended.
    const time = setInterval(() => void clock.advance(31_000), 10);
    const error = await outOfTime(failure, patient.timeoutMs / 2);
    clearInterval(time);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error.cause).toBeInstanceOf(StoreUnavailableError);
    await read;
    proxy.accept();
    await expect.poll(waiters, { timeout: 60_000 }).toBe('0');
    await other.store.release(holder.lease);
  });
});
