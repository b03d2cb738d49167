import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Expiring, ExpiryBuckets } from './expiry-buckets.ts';

class Entry implements Expiring {
  expiryBucket = -1;
  expiresAt: number;

  constructor(expiresAt: number) {
    this.expiresAt = expiresAt;
  }
}

function bucketsOf(...times: number[]): { buckets: ExpiryBuckets<Entry>; entries: Entry[] } {
  const buckets = new ExpiryBuckets<Entry>();
  const entries = times.map((time) => new Entry(time));
  for (const entry of entries) buckets.place(entry);
  return { buckets, entries };
}

/** Takes what is due, as the store does: the caller removes it. */
function take(buckets: ExpiryBuckets<Entry>, now: number, limit = Number.POSITIVE_INFINITY) {
  const due = buckets.due(now, limit);
  for (const entry of due) buckets.remove(entry);
  return due.map(({ expiresAt }) => expiresAt).sort((a, b) => a - b);
}

const start = Date.UTC(2030, 0, 1);

describe('ExpiryBuckets', () => {
  it('has nothing due when it is empty', () => {
    expect(take(new ExpiryBuckets(), start)).toEqual([]);
  });

  it('is exact to the millisecond, within one second and at its borders', () => {
    const times = [start - 1, start, start + 1, start + 999, start + 1_000];
    const { buckets } = bucketsOf(...times);
    expect(take(buckets, start - 2)).toEqual([]);
    expect(take(buckets, start)).toEqual([start - 1, start]);
    expect(take(buckets, start)).toEqual([]);
    expect(take(buckets, start + 998)).toEqual([start + 1]);
    expect(take(buckets, start + 1_000)).toEqual([start + 999, start + 1_000]);
  });

  it('follows an entry that moves later, earlier, and within its second', () => {
    const { buckets, entries } = bucketsOf(start);
    const [entry] = entries as [Entry];
    const moveTo = (time: number) => {
      entry.expiresAt = time;
      buckets.place(entry);
    };
    moveTo(start + 60_000);
    expect(take(buckets, start + 59_999)).toEqual([]);
    moveTo(start + 60_500);
    expect(take(buckets, start + 60_499)).toEqual([]);
    moveTo(start + 60_200);
    expect(take(buckets, start + 60_200)).toEqual([start + 60_200]);
  });

  it('finds what is placed before all that is there, also after a look', () => {
    const { buckets } = bucketsOf(start + 60_000);
    expect(take(buckets, start + 30_000)).toEqual([]);
    buckets.place(new Entry(start + 10_000));
    expect(take(buckets, start + 30_000)).toEqual([start + 10_000]);
    expect(take(buckets, start + 60_000)).toEqual([start + 60_000]);
  });

  it('finds what is placed in the second of the last look', () => {
    const { buckets } = bucketsOf(start + 100);
    expect(take(buckets, start + 200)).toEqual([start + 100]);
    buckets.place(new Entry(start + 300));
    expect(take(buckets, start + 300)).toEqual([start + 300]);
  });

  it('does not return what was removed', () => {
    const { buckets, entries } = bucketsOf(start, start + 1);
    buckets.remove(entries[0] as Entry);
    buckets.remove(entries[0] as Entry);
    expect(take(buckets, start + 1)).toEqual([start + 1]);
  });

  it('returns at most as many as are asked for, the oldest seconds first', () => {
    const { buckets } = bucketsOf(start + 2_000, start, start + 1_000, start + 3_000);
    expect(take(buckets, start + 3_000, 2)).toEqual([start, start + 1_000]);
    expect(take(buckets, start + 3_000, 2)).toEqual([start + 2_000, start + 3_000]);
    expect(take(buckets, start + 3_000, 2)).toEqual([]);
  });

  it('stands a clock that steps back', () => {
    const { buckets } = bucketsOf(start + 1_000, start + 100_000);
    expect(take(buckets, start + 50_000)).toEqual([start + 1_000]);
    buckets.place(new Entry(start + 20_000));
    expect(take(buckets, start + 10_000)).toEqual([]);
    expect(take(buckets, start + 20_000)).toEqual([start + 20_000]);
    expect(take(buckets, start + 100_000)).toEqual([start + 100_000]);
  });

  it('finds everything after a rest of years, the oldest first', () => {
    const day = 86_400_000;
    const { buckets } = bucketsOf(start + 2 * day, start, start + day);
    const years = start + 10 * 365 * day;
    expect(take(buckets, years, 2)).toEqual([start, start + day]);
    expect(take(buckets, years, 2)).toEqual([start + 2 * day]);
  });

  it('looks again at a second in which nothing more is due only when something is', () => {
    const buckets = new ExpiryBuckets<Expiring>();
    let reads = 0;
    for (let count = 0; count < 1_000; count += 1) {
      buckets.place({
        expiryBucket: -1,
        get expiresAt() {
          reads += 1;
          return start + 900;
        },
      });
    }
    const first = new Entry(start + 50);
    buckets.place(first);
    expect(buckets.due(start + 100, 10)).toEqual([first]);
    buckets.remove(first);
    reads = 0;
    for (let now = start + 101; now < start + 900; now += 1) buckets.due(now, 10);
    expect(reads).toBe(0);
    expect(buckets.due(start + 900, 10)).toHaveLength(10);
  });

  it('behaves as a sorted list does', () => {
    const time = fc.integer({ min: 0, max: 20_000 }).map((ms) => start + ms);
    const step = fc.oneof(
      fc.record({ what: fc.constant('place'), at: fc.nat(), time }),
      fc.record({ what: fc.constant('move'), at: fc.nat(), time }),
      fc.record({ what: fc.constant('remove'), at: fc.nat(), time }),
      fc.record({ what: fc.constant('take'), at: fc.nat(4), time }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const buckets = new ExpiryBuckets<Entry>();
        let model: Entry[] = [];
        for (const { what, at, time: now } of steps) {
          const entry = model[at % Math.max(model.length, 1)];
          if (what === 'place') {
            const placed = new Entry(now);
            model.push(placed);
            buckets.place(placed);
          } else if (what === 'move' && entry !== undefined) {
            entry.expiresAt = now;
            buckets.place(entry);
          } else if (what === 'remove' && entry !== undefined) {
            model = model.filter((other) => other !== entry);
            buckets.remove(entry);
          } else if (what === 'take') {
            const limit = at === 0 ? Number.POSITIVE_INFINITY : at;
            const expired = model.filter(({ expiresAt }) => expiresAt <= now);
            const due = buckets.due(now, limit);
            expect(due.length).toBe(Math.min(expired.length, limit));
            expect(new Set(due).size).toBe(due.length);
            expect(due.filter((taken) => !expired.includes(taken))).toEqual([]);
            // Whole seconds go in order.
            const second = ({ expiresAt }: Entry) => Math.floor(expiresAt / 1_000);
            const last = Math.max(...due.map(second));
            const left = expired.filter((other) => !due.includes(other));
            expect(left.filter((other) => second(other) < last)).toEqual([]);
            for (const taken of due) buckets.remove(taken);
            model = model.filter((other) => !due.includes(other));
          }
        }
        expect(new Set(buckets.due(start + 30_000, Number.POSITIVE_INFINITY))).toEqual(
          new Set(model),
        );
      }),
    );
  });
});
