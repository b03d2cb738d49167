import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Message, prepareMessage } from '../model/message.ts';
import { History } from './history.ts';

const none = Number.POSITIVE_INFINITY;

function append(history: History, count: number, now = 0): readonly Message[] {
  const messages = Array.from({ length: count }, () =>
    prepareMessage({ role: 'user', content: 'x' }),
  );
  return history.append(messages, now);
}

function historyOf(count: number, capacity = 100): History {
  const history = new History(capacity);
  append(history, count);
  return history;
}

const seqs = (messages: readonly Message[]) => messages.map(({ seq }) => seq);

describe('History', () => {
  it('is empty at first', () => {
    const history = new History(10);
    expect(history.lastSeq).toBe(0);
    expect(history.page(none, none, undefined)).toEqual([]);
    expect(history.page(none, none, 0)).toEqual([]);
  });

  it('gives each message its place and time, and returns what it placed', () => {
    const history = historyOf(2);
    const [placed] = append(history, 1, 1_000);
    expect(placed).toMatchObject({ seq: 3, role: 'user', content: 'x', createdAt: 1_000 });
    expect(history.lastSeq).toBe(3);
    expect(history.page(1, none, undefined)[0]).toBe(placed);
  });

  it.each([
    ['all', none, none, undefined, [1, 2, 3, 4, 5]],
    ['the newest', 2, none, undefined, [4, 5]],
    ['the newest before one', 2, 4, undefined, [2, 3]],
    ['fewer than asked for before one', 10, 3, undefined, [1, 2]],
    ['none before the first', 10, 1, undefined, []],
    ['none before nothing', 10, 0, undefined, []],
    ['all before one that will be', 10, 9, undefined, [1, 2, 3, 4, 5]],
    ['no more than none', 0, none, undefined, []],
    ['the oldest after one', 2, none, 1, [2, 3]],
    ['all after nothing', none, none, 0, [1, 2, 3, 4, 5]],
    ['none after the last', none, none, 5, []],
    ['none after one that will be', none, none, 9, []],
    ['those between two', none, 5, 2, [3, 4]],
    ['the oldest between two', 1, 5, 2, [3]],
    ['none between neighbours', none, 3, 2, []],
    ['none the wrong way round', none, 2, 4, []],
  ])('pages %s', (_, limit, before, after, expected) => {
    expect(seqs(historyOf(5).page(limit, before, after))).toEqual(expected);
  });

  it('keeps the newest, and their places', () => {
    const history = historyOf(7, 3);
    expect(seqs(history.page(none, none, undefined))).toEqual([5, 6, 7]);
    expect(seqs(history.page(none, none, 0))).toEqual([5, 6, 7]);
    expect(seqs(history.page(2, 7, undefined))).toEqual([5, 6]);
    expect(history.page(none, 5, undefined)).toEqual([]);
    expect(history.lastSeq).toBe(7);
  });

  it('keeps the newest of one append that is larger than it is', () => {
    const history = historyOf(1, 2);
    expect(append(history, 9)).toHaveLength(9);
    expect(seqs(history.page(none, none, undefined))).toEqual([9, 10]);
  });

  it('may keep a single message', () => {
    const history = historyOf(4, 1);
    expect(seqs(history.page(none, none, undefined))).toEqual([4]);
  });

  it('keeps the same number, however long it goes on', () => {
    const history = new History(10);
    for (let count = 1; count <= 100; count += 1) {
      append(history, 1);
      expect(history.page(none, none, undefined)).toHaveLength(Math.min(count, 10));
      expect(history.page(1, none, undefined)).toMatchObject([{ seq: count }]);
    }
  });

  it('hands out pages that nobody can change', () => {
    const history = historyOf(3);
    const page = history.page(none, none, undefined);
    expect(Object.isFrozen(page)).toBe(true);
    expect(Object.isFrozen(append(history, 1))).toBe(true);
    expect(page.every(Object.isFrozen)).toBe(true);
    expect(seqs(page)).toEqual([1, 2, 3]);
  });

  it('behaves as an array does', () => {
    const step = fc.record({
      count: fc.nat(7),
      limit: fc.oneof(fc.nat(8), fc.constant(none)),
      before: fc.oneof(fc.nat(60), fc.constant(none)),
      after: fc.option(fc.nat(60), { nil: undefined }),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.array(step, { maxLength: 25 }),
        (capacity, steps) => {
          const history = new History(capacity);
          const model: number[] = [];
          for (const { count, limit, before, after } of steps) {
            const placed = append(history, count);
            for (let added = 0; added < count; added += 1) model.push(model.length + 1);
            expect(seqs(placed)).toEqual(model.slice(model.length - count));
            expect(history.lastSeq).toBe(model.length);
            const between = model
              .slice(-capacity)
              .filter((seq) => seq < before && seq > (after ?? 0));
            const skipped = Math.max(between.length - limit, 0);
            expect(seqs(history.page(limit, before, after))).toEqual(
              after === undefined ? between.slice(skipped) : between.slice(0, limit),
            );
          }
        },
      ),
    );
  });
});
