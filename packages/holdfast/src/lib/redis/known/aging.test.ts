import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../testing/fake-clock.ts';
import { Aging, AgingCache } from './aging.ts';

function setUp(size = 10) {
  const clock = new FakeClock();
  const aging = new Aging(clock, 1_000);
  const one = new AgingCache<object>(size, aging);
  const other = new AgingCache<object>(size, aging);
  return { clock, aging, one, other };
}

describe('what a store keeps in memory', () => {
  it('goes by itself when it is too old, each at its time, and no timer is left', async () => {
    const { clock, one, other } = setUp();
    one.set('a', {});
    other.set('a', {});
    await clock.advance(500);
    one.set('b', {});
    other.renew('a');
    expect(clock.timers).toBe(1);
    await clock.advance(500);
    expect([one.peek('a'), one.size, other.size]).toEqual([undefined, 1, 1]);
    await clock.advance(500);
    expect([one.size, other.size, clock.timers]).toEqual([0, 0, 0]);
    one.set('a', {});
    await clock.advance(1_000);
    expect([one.size, clock.timers]).toEqual([0, 0]);
  });

  it('does not last longer for being read', async () => {
    const { clock, one } = setUp();
    one.set('a', {});
    await clock.advance(999);
    expect(one.get('a')).toEqual({});
    await clock.advance(1);
    expect(one.get('a')).toBeUndefined();
  });

  it('goes in one go with what came within a beat', async () => {
    const { clock, one } = setUp();
    for (const id of ['a', 'b', 'c']) {
      one.set(id, {});
      await clock.advance(30);
    }
    await clock.advance(1_000 - 90);
    expect(one.size).toBe(2);
    await clock.advance(99);
    expect(one.size).toBe(2);
    await clock.advance(1);
    expect(one.size).toBe(0);
  });

  it('is what was used last, and ages anew under an id that was pushed out', async () => {
    const { clock, one } = setUp(2);
    one.set('a', {});
    one.set('b', {});
    one.get('a');
    await clock.advance(600);
    one.set('c', {});
    one.set('b', {});
    expect([one.peek('a'), one.peek('b'), one.peek('c')]).toEqual([undefined, {}, {}]);
    await clock.advance(999);
    expect(one.size).toBe(2);
    await clock.advance(101);
    expect(one.size).toBe(0);
  });

  it('goes with the store', async () => {
    const { clock, aging, one, other } = setUp();
    one.set('a', {});
    other.set('b', {});
    aging.close();
    expect([one.size, other.size, clock.timers]).toEqual([0, 0, 0]);
    one.set('a', {});
    expect(clock.timers).toBe(0);
  });
});
