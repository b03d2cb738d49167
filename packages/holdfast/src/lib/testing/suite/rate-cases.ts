import assert from 'node:assert/strict';
import { ConfigError } from '../../errors/errors.ts';
import type { SuiteContext } from './suite-context.ts';

/** Counting what happens too often. */
export function rateCases(context: SuiteContext): void {
  context.group('rates', () => {
    context.case('hits are counted together by all writers, each key by itself', async () => {
      const { store, writer } = await context.place();
      const other = (await writer()).store;
      const periodMs = 1_000 * context.unitMs;
      const counts = await Promise.all(
        [store, other, store, other, store].map(
          async (each) => (await each.hit('a', periodMs)).count,
        ),
      );
      assert.deepEqual(counts.sort(), [1, 2, 3, 4, 5]);
      const { count, resetMs } = await store.hit('b', periodMs);
      assert.equal(count, 1);
      assert.ok(resetMs > 0 && resetMs <= periodMs, `${resetMs} ms`);
    });

    context.case('a window begins with its first hit, and ends', async () => {
      const { clock } = context;
      const { store } = await context.place();
      const periodMs = 10 * context.unitMs;
      assert.equal((await store.hit('a', periodMs)).count, 1);
      await clock.advance(periodMs / 2);
      const { count, resetMs } = await store.hit('a', periodMs);
      assert.equal(count, 2);
      assert.ok(resetMs > 0 && resetMs <= periodMs / 2, `${resetMs} ms`);
      await clock.advance(resetMs);
      assert.equal((await store.hit('a', periodMs)).count, 1);
    });

    context.case('a window has a length', async () => {
      const { store } = await context.place();
      for (const wrong of [0, -1, 1.5, 2 ** 31, Number.NaN]) {
        await assert.rejects(store.hit('a', wrong), ConfigError);
      }
    });
  });
}
