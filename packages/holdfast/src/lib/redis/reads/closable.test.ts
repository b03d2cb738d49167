import { expect, it } from 'vitest';
import type { Ending } from '../../store/ending.ts';
import { closable } from './closable.ts';

const over = { done: true, value: undefined };

/** A generator that gives one value, and waits for another as long as the test has it. */
function setUp() {
  const seen = { begun: false, heard: false, ended: false, unlistened: 0 };
  let close = () => {};
  let give: (value: string | Error) => void = () => {};
  async function* generate(closed: Ending) {
    seen.begun = true;
    closed.onEnd(() => {
      seen.heard = true;
    });
    try {
      yield 'first';
      yield await new Promise<string>((resolve, reject) => {
        give = (value) => (value instanceof Error ? reject(value) : resolve(value));
      });
    } finally {
      seen.ended = true;
    }
  }
  const values = closable(generate, (end) => {
    close = end;
    return () => {
      seen.unlistened += 1;
    };
  });
  return { seen, values, close: () => close(), give: (value: string | Error) => give(value) };
}

it('gives what comes, and ends with it', async () => {
  const { seen, values, give } = setUp();
  expect(await values.next()).toEqual({ done: false, value: 'first' });
  const asked = [values.next(), values.next(), values.next()];
  await new Promise(setImmediate);
  give('second');
  expect(await Promise.all(asked)).toEqual([{ done: false, value: 'second' }, over, over]);
  expect(seen).toMatchObject({ ended: true, unlistened: 1 });
});

it.each(['return', 'signal'])(
  'ends at once when it is left (%s), whatever it waits for',
  async (how) => {
    const { seen, values, close, give } = setUp();
    await values.next();
    const asked = [values.next(), values.next()];
    await new Promise(setImmediate);
    if (how === 'signal') close();
    else expect(await values.return?.()).toEqual(over);
    expect(await Promise.all(asked)).toEqual([over, over]);
    expect(seen).toMatchObject({ heard: true, ended: false, unlistened: 1 });
    // What it waited for fails when nobody asks any more.
    give(new Error('late'));
    await expect.poll(() => seen.ended).toBe(true);
    expect(await values.next()).toEqual(over);
  },
);

it('cleans up when it is left between two values', async () => {
  const { seen, values, close } = setUp();
  await values.next();
  close();
  await expect.poll(() => seen.ended).toBe(true);
  expect(await values.next()).toEqual(over);
});

it('does nothing when it was over before it began', async () => {
  const { seen, values, close } = setUp();
  close();
  expect(await values.next()).toEqual(over);
  expect(seen.begun).toBe(false);
});

it('fails once with what it fails of, and is over', async () => {
  const { seen, values, give } = setUp();
  await values.next();
  const asked = [values.next(), values.next()];
  await new Promise(setImmediate);
  give(new Error('no more'));
  await expect(asked[0]).rejects.toThrow('no more');
  expect(await asked[1]).toEqual(over);
  expect(seen).toMatchObject({ ended: true, unlistened: 1 });
});
