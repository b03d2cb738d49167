import fc from 'fast-check';
import { expect, it } from 'vitest';
import { presentEvent } from './presenters.ts';

const told = (createdAt: number) =>
  presentEvent({ seq: 1, turnId: '1', createdAt, type: 'text' }).created_at;

it('tells times as ISO 8601 has them, whichever it told before', () => {
  const times = fc.array(fc.integer({ min: 0, max: 4_102_444_800_000 }), { maxLength: 20 });
  fc.assert(
    fc.property(times, (all) => {
      for (const time of [0, 999, 1_000, 1_000.5, ...all, ...all]) {
        expect(told(time)).toBe(new Date(time).toISOString());
      }
    }),
  );
});
