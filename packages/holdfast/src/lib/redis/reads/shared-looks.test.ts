import { expect, it } from 'vitest';
import { SharedLooks } from './shared-looks.ts';

/** Looks that end when they are told to, each with its number. */
function looking() {
  const looks = new SharedLooks<number>();
  const ends: ((error?: Error) => void)[] = [];
  const at = (what: string) =>
    looks.at(what, () => {
      const number = ends.length;
      return new Promise((resolve, reject) => {
        ends.push((error) => (error === undefined ? resolve(number) : reject(error)));
      });
    });
  return { looks, ends, at };
}

it('gives all who look at the same while that is under way one result', async () => {
  const { ends, at } = looking();
  const both = [at('a'), at('a'), at('b')];
  expect(ends).toHaveLength(2);
  for (const end of ends) end();
  expect(await Promise.all(both)).toEqual([0, 0, 1]);
});

it('looks again after news, which the look under way may have missed', async () => {
  const { looks, ends, at } = looking();
  const before = at('a');
  looks.heard();
  const after = [at('a'), at('a')];
  expect(ends).toHaveLength(2);
  ends[0]?.();
  expect(await before).toBe(0);
  // That the earlier one is over does not end this one.
  after.push(at('a'));
  ends[1]?.();
  expect(await Promise.all(after)).toEqual([1, 1, 1]);
});

it('keeps nothing of a look that is over, or has failed', async () => {
  const { ends, at } = looking();
  const failed = [at('a'), at('a')];
  ends[0]?.(new RangeError('no'));
  for (const each of failed) await expect(each).rejects.toThrow(new RangeError('no'));
  const next = at('a');
  ends[1]?.();
  expect(await next).toBe(1);
  const last = at('a');
  ends[2]?.();
  expect(await last).toBe(2);
});
