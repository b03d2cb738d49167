import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OnBusy } from '../store/turn-store.ts';
import { type Waiter, WaitQueue } from './wait-queue.ts';

function waiter(nonce: string, onBusy: OnBusy = 'wait'): Waiter {
  return {
    options: { nonce, leaseMs: 1, waitMs: 1, onBusy },
    previous: null,
    next: null,
    offer: () => true,
    fail: () => {},
  };
}

/** Takes everybody out, from the front. */
function drain(queue: WaitQueue): string[] {
  const names: string[] = [];
  for (let first = queue.shift(); first !== null; first = queue.shift()) {
    names.push(first.options.nonce);
  }
  return names;
}

describe('WaitQueue', () => {
  it('has nobody at first', () => {
    const queue = new WaitQueue();
    expect([queue.size, queue.shift()]).toEqual([0, null]);
  });

  it('gives way in the order of asking', () => {
    const queue = new WaitQueue();
    for (const name of 'abc') queue.add(waiter(name));
    expect(queue.size).toBe(3);
    expect(drain(queue)).toEqual(['a', 'b', 'c']);
    expect(queue.size).toBe(0);
  });

  it('lets interrupters go first, among themselves in order', () => {
    const queue = new WaitQueue();
    queue.add(waiter('a'));
    queue.add(waiter('I', 'interrupt'));
    queue.add(waiter('b'));
    queue.add(waiter('J', 'interrupt'));
    expect(drain(queue)).toEqual(['I', 'J', 'a', 'b']);
  });

  it('forgets one that leaves, wherever it stands', () => {
    const queue = new WaitQueue();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => waiter(name)) as [Waiter, Waiter, Waiter];
    for (const one of [a, b, c]) queue.add(one);
    queue.remove(b);
    queue.remove(a);
    queue.add(waiter('d'));
    queue.remove(c);
    expect(drain(queue)).toEqual(['d']);
  });

  it('keeps interrupters in order when the last, or the only one, leaves', () => {
    const queue = new WaitQueue();
    const [i, j] = ['I', 'J'].map((name) => waiter(name, 'interrupt')) as [Waiter, Waiter];
    queue.add(waiter('a'));
    queue.add(i);
    queue.add(j);
    queue.remove(j);
    queue.add(waiter('K', 'interrupt'));
    queue.remove(i);
    expect(queue.shift()?.options.nonce).toBe('K');
    queue.add(waiter('L', 'interrupt'));
    expect(drain(queue)).toEqual(['L', 'a']);
  });

  it('behaves as two lists do, one behind the other', () => {
    const step = fc.record({
      what: fc.constantFrom('wait', 'reject', 'interrupt', 'leave', 'shift'),
      at: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new WaitQueue();
        let interrupters: Waiter[] = [];
        let others: Waiter[] = [];
        steps.forEach(({ what, at }, index) => {
          const all = [...interrupters, ...others];
          const without = (gone: Waiter | undefined) => {
            interrupters = interrupters.filter((one) => one !== gone);
            others = others.filter((one) => one !== gone);
          };
          if (what === 'shift') {
            expect(queue.shift()).toBe(all[0] ?? null);
            without(all[0]);
          } else if (what === 'leave') {
            const leaving = all[at % Math.max(all.length, 1)];
            if (leaving !== undefined) queue.remove(leaving);
            without(leaving);
          } else {
            const added = waiter(String(index), what as OnBusy);
            queue.add(added);
            (what === 'interrupt' ? interrupters : others).push(added);
          }
          expect(queue.size).toBe(interrupters.length + others.length);
        });
        expect(drain(queue)).toEqual(
          [...interrupters, ...others].map(({ options }) => options.nonce),
        );
      }),
    );
  });
});
