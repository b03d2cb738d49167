import { describe, expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { RecentDurations } from './durations.ts';

const none = { count: 0, p50: 0, p95: 0, p99: 0, max: 0 };

describe('recent durations', () => {
  it('are told by their percentiles, to 1 %', () => {
    const durations = new RecentDurations(new FakeClock());
    expect(durations.report()).toEqual(none);
    for (let ms = 1; ms <= 1000; ms += 1) durations.add(ms);
    const { count, p50, p95, p99, max } = durations.report();
    expect(count).toBe(1000);
    for (const [value, exact] of [
      [p50, 500],
      [p95, 950],
      [p99, 990],
      [max, 1000],
    ] as const) {
      expect(Math.abs(value - exact) / exact).toBeLessThan(0.01);
    }
  });

  it('are those of the last one to two minutes', async () => {
    const clock = new FakeClock();
    const durations = new RecentDurations(clock);
    durations.add(10);
    await clock.advance(60_000);
    durations.add(20);
    expect(durations.report().count).toBe(2);
    await clock.advance(60_000);
    expect(durations.report().count).toBe(1);
    await clock.advance(60_000);
    expect(durations.report()).toEqual(none);
    durations.add(30);
    await clock.advance(600_000);
    expect(durations.report()).toEqual(none);
  });

  it('are not older than that when nobody has looked for a while', async () => {
    const clock = new FakeClock();
    const durations = new RecentDurations(clock);
    durations.add(10);
    await clock.advance(119_000);
    expect(durations.report().count).toBe(1);
    await clock.advance(1_000);
    expect(durations.report()).toEqual(none);
  });

  it('may be too short or too long to be measured', () => {
    const durations = new RecentDurations(new FakeClock());
    durations.add(0);
    durations.add(Number.MAX_VALUE);
    const { count, p50 } = durations.report();
    expect(count).toBe(2);
    expect(p50).toBeLessThan(0.01);
  });
});
