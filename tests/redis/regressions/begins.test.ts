import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  DecryptionError,
  IdempotencyMismatchError,
} from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { noCredentials } from '../../../packages/holdfast/src/lib/model/session.ts';
import type { BeginOptions, OnBusy } from '../../../packages/holdfast/src/lib/store/turn-store.ts';
import { FakeClock } from '../../../packages/holdfast/src/lib/testing/fake-clock.ts';
import { type FakeTimeRedis, startRedisOnFakeTime } from '../../servers/redis-server.ts';
import { rejection } from '../connection/fixtures.ts';
import { idempotency, withLostEffects } from '../support/lost-effects.ts';
import { type Instance, SharedNamespace } from '../support/shared-namespace.ts';

const startAt = Date.UTC(2030, 0, 1);
let server: FakeTimeRedis;
beforeAll(async () => {
  server = await startRedisOnFakeTime({ time: startAt });
});
afterAll(() => server.stop());

const asking: BeginOptions = { nonce: 'n', leaseMs: 2_000, onBusy: 'wait', waitMs: 60_000 };

describe('the begin of a turn', () => {
  it('that is repeated tells no later instant of the grant than the grant’s own', async () => {
    const clock = new FakeClock(startAt);
    const sessions = await new SharedNamespace(server.url).instance({ clock });
    await sessions.store.create('s');
    const first = await sessions.begin('s', asking);
    server.setTime(startAt + 500);
    await clock.advance(500);
    const again = await sessions.begin('s', asking);
    expect(again.lease).toEqual(first.lease);
    expect(again.grantedAt).toBeLessThanOrEqual(first.grantedAt);
  });

  it('whose session holds effects that no key opens is refused, and keeps nobody waiting', async () => {
    const place = new SharedNamespace(server.url);
    const { kept } = await withLostEffects(place);
    const [one, other] = [
      await place.instance({ codec: kept }),
      await place.instance({ codec: kept }),
    ];
    const ask = await place.asking();
    const holder = await other.begin('s');
    let isLost = false;
    const refused = one.store.begin('s', {
      ...asking,
      idempotency,
      onLost: () => {
        isLost = true;
      },
    });
    const waiters = () => ask('ZCARD', place.keys.session('s')[1]);
    await expect.poll(waiters, { timeout: 60_000 }).toBe('1');
    const next = other.begin('s', { leaseMs: 2_000 });
    await expect.poll(waiters, { timeout: 60_000 }).toBe('2');
    expect(await other.store.release(holder.lease)).toBe(true);
    expect(await rejection(refused)).toBeInstanceOf(DecryptionError);
    // The server's time stands still: no lease ends by itself.
    const granted = await next;
    expect(granted.kind).toBe('granted');
    await other.store.release(granted.lease);
    const direct = one.store.begin('s', { ...asking, idempotency });
    expect(await rejection(direct)).toBeInstanceOf(DecryptionError);
    expect(isLost).toBe(false);
    expect((await one.begin('s', { onBusy: 'reject' })).kind).toBe('granted');
  });

  it.each<OnBusy>(['wait', 'reject', 'interrupt'])(
    'under the key of a turn that runs, but with another request, is refused as such (%s)',
    async (onBusy) => {
      const place = new SharedNamespace(server.url);
      const [one, other] = [await place.instance(), await place.instance()];
      await one.store.create('s');
      const keyed = (requestDigest: string) => ({ idempotency: { key: 'k', requestDigest } });
      const { lease } = await one.begin('s', keyed('digest of one'));
      for (const { store } of [one, other]) {
        const begin = store.begin('s', { ...asking, onBusy, ...keyed('digest of another') });
        expect(await rejection(begin)).toBeInstanceOf(IdempotencyMismatchError);
      }
      // The turn that runs is none the worse for it.
      const renewed = await one.store.renew(lease, 30_000);
      expect(renewed.fence).toBe(lease.fence);
    },
  );

  it.each<[string, Partial<BeginOptions>, (instance: Instance) => Promise<unknown>]>([
    [
      'whose token was exchanged meanwhile',
      { tokenHash: 'h' },
      ({ store }) => store.setCredentials('s', { ...noCredentials, tokenHash: 'other' }),
    ],
    [
      'whose user is another meanwhile',
      { userId: 'ada' },
      ({ store }) => store.update('s', { userId: 'bob' }),
    ],
  ])(
    '%s leaves the queue when it learns that, and keeps nobody waiting',
    async (_, own, change) => {
      const place = new SharedNamespace(server.url);
      const clock = new FakeClock(startAt);
      const [one, other] = [await place.instance({ clock }), await place.instance()];
      const ask = await place.asking();
      const waiters = () => ask('ZCARD', place.keys.session('s')[1]);
      const credentials = { ...noCredentials, tokenHash: 'h' };
      await other.store.create('s', { userId: 'ada' }, { credentials });
      const holder = await other.begin('s');
      const refused = rejection(one.store.begin('s', { ...asking, waitMs: 2 ** 31 - 1, ...own }));
      await expect.poll(waiters, { timeout: 60_000 }).toBe('1');
      await change(other);
      // It asks again when the lease should have ended that it has heard of; the server's time stands still.
      const asksAgain = setInterval(() => void clock.advance(31_000), 10);
      const { name } = await refused;
      clearInterval(asksAgain);
      expect(name).toBe(own.userId === undefined ? 'InvalidTokenError' : 'SessionNotFoundError');
      expect(await waiters()).toBe('0');
      const next = other.begin('s');
      await expect.poll(waiters, { timeout: 60_000 }).toBe('1');
      await other.store.release(holder.lease);
      expect((await next).kind).toBe('granted');
    },
  );
});
