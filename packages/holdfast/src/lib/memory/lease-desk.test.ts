import { describe, expect, it } from 'vitest';
import { SessionNotFoundError } from '../errors/errors.ts';
import { interruptGraceMs } from '../model/limits.ts';
import type { BeginOptions } from '../store/turn-store.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import {
  InMemorySessionStore,
  type InMemorySessionStoreOptions,
} from './in-memory-session-store.ts';

const idempotency = { key: 'k', requestDigest: '' };

async function setUp(options: InMemorySessionStoreOptions = {}) {
  const clock = new FakeClock();
  const store = new InMemorySessionStore({ clock, idleTimeoutMs: 60_000, ...options });
  await store.create('s');
  const begin = (given: Partial<BeginOptions> = {}) =>
    store.begin('s', {
      nonce: crypto.randomUUID(),
      leaseMs: 30_000,
      onBusy: 'wait',
      waitMs: 120_000,
      ...given,
    });
  const leaseOf = async (begun: ReturnType<typeof begin>) => {
    const grant = await begun;
    if (grant.kind !== 'granted') throw new TypeError('a repeat');
    return grant.lease;
  };
  return { clock, store, begin, leaseOf };
}

describe('an interrupter that another one interrupts', () => {
  it('has its grace and no more, also when it is dead', async () => {
    const { clock, store, begin, leaseOf } = await setUp();
    const holder = await leaseOf(begin());
    const first = leaseOf(begin({ onBusy: 'interrupt' }));
    const second = leaseOf(begin({ onBusy: 'interrupt' }));
    await store.release(holder);
    const { fence } = await first;
    await clock.advance(interruptGraceMs);
    const { activeLeases, waiters } = await store.getStats();
    expect({ activeLeases, waiters }).toEqual({ activeLeases: 1, waiters: 0 });
    expect((await second).fence).toBeGreaterThan(fence);
  });

  it('is not interrupted by a repeat of its own turn, nor spared by one', async () => {
    const { clock, store, begin, leaseOf } = await setUp();
    const holder = await leaseOf(begin());
    const told: string[] = [];
    const own = { onBusy: 'interrupt', idempotency } as const;
    const first = leaseOf(begin({ ...own, onLost: ({ code }) => told.push(code) }));
    const repeat = begin(own);
    await store.release(holder);
    await first;
    await clock.advance(1);
    expect(told).toEqual([]);
    const other = begin({ onBusy: 'interrupt' });
    await clock.advance(1);
    expect(told).toEqual(['TURN_INTERRUPTED']);
    await store.commit(await first, { nonce: 'c' }, { keep: false, outcome: 'its answer' });
    expect(await repeat).toMatchObject({ kind: 'replayed', outcome: 'its answer' });
    expect((await other).kind).toBe('granted');
  });

  it('is interrupted by one that stands behind a repeat of its own turn', async () => {
    const { clock, store, begin, leaseOf } = await setUp();
    const holder = await leaseOf(begin());
    const told: string[] = [];
    const own = { onBusy: 'interrupt', idempotency } as const;
    const first = leaseOf(begin({ ...own, onLost: ({ code }) => told.push(code) }));
    const repeat = begin(own);
    const other = begin({ onBusy: 'interrupt' });
    await store.release(holder);
    await store.commit(await first, { nonce: 'c' }, { keep: false, outcome: 'its answer' });
    await clock.advance(1);
    expect(told).toEqual(['TURN_INTERRUPTED']);
    expect((await repeat).kind).toBe('replayed');
    expect((await other).kind).toBe('granted');
  });
});

describe('a session that expires with the turn that had kept it', () => {
  it('is given to nobody who comes at that instant', async () => {
    const { clock, store, begin } = await setUp({ idleTimeoutMs: 1_000, maxSessions: 2 });
    await begin();
    await clock.advance(500);
    let late: Promise<unknown> = Promise.resolve();
    // Before the store's own timer, which is set by the wait.
    clock.setTimer(interruptGraceMs, () => {
      late = begin().catch((error: unknown) => error);
    });
    const left = new AbortController();
    const interrupter = begin({ onBusy: 'interrupt', signal: left.signal });
    left.abort(new Error('left'));
    await expect(interrupter).rejects.toThrow('left');
    await clock.advance(interruptGraceMs);
    expect(await late).toBeInstanceOf(SessionNotFoundError);
    expect((await store.getStats()).activeLeases).toBe(0);
    // What is evicted is found among those that are there.
    for (const id of ['a', 'b', 'c']) await store.create(id);
    expect((await store.listActive()).sessions.map(({ id }) => id)).toEqual(['b', 'c']);
  });
});
