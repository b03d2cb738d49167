import { expect, it } from 'vitest';
import { encryptionsOf, maxEncryptions } from './encryption-bound.ts';

it('a session’s own counters bound the encryptions under its key', () => {
  expect(encryptionsOf({ version: 0, lastSeq: 0, lastEventSeq: 0 })).toBe(0);
  expect(encryptionsOf({ version: 10, lastSeq: 20, lastEventSeq: 300 })).toBe(4 * (30 + 20 + 300));
  // A turn a second with two messages and twenty events, for a year and more.
  const turns = 40_000_000;
  const session = { version: turns, lastSeq: 2 * turns, lastEventSeq: 20 * turns };
  expect(encryptionsOf(session)).toBeLessThan(maxEncryptions);
  expect(encryptionsOf({ ...session, lastEventSeq: 2 ** 30 })).toBeGreaterThan(maxEncryptions);
});
