import { expect } from 'vitest';

/** Asserts what becomes true sooner or later. Only a hang takes so long. */
export function eventually<Value>(look: () => Value | Promise<Value>) {
  return expect.poll(look, { timeout: 100_000, interval: 5 });
}
