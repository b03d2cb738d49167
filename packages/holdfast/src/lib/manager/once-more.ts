import type { Clock } from '../clock.ts';
import { OutcomeUnknownError, StoreUnavailableError } from '../errors/errors.ts';

/** A failure that took longer than this is the end of a store's own attempts. */
const soonMs = 500;

/**
 * Repeats a call whose reply was lost. It carries a nonce, so it takes effect once and the repeat
 * learns its outcome. A store that tried for long has had its time, and the caller waits no second one.
 */
export async function onceMore<Result>(clock: Clock, call: () => Promise<Result>): Promise<Result> {
  const from = clock.monotonic();
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof OutcomeUnknownError) || clock.monotonic() - from > soonMs) throw error;
    return call();
  }
}

/** Whether the store could not be reached. */
export function isOutage(failure: unknown): boolean {
  return failure instanceof StoreUnavailableError || failure instanceof OutcomeUnknownError;
}
