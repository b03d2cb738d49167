import type { Clock } from '../clock.ts';
import { OutcomeUnknownError, StoreUnavailableError } from '../errors/errors.ts';

/** A failure that took longer than this is the end of a store's own attempts. */
const soonMs = 500;

/**
 * Repeats a call whose reply was lost. It carries a nonce, so it takes effect once and the repeat
 * learns its outcome. A store that tried for long has had its time, and the caller waits no second one.
 *
 * @throws OutcomeUnknownError also where only the repeat surely did nothing: the first call may have
 */
export async function onceMore<Result>(clock: Clock, call: () => Promise<Result>): Promise<Result> {
  const from = clock.monotonic();
  try {
    return await call();
  } catch (lost) {
    if (!(lost instanceof OutcomeUnknownError) || clock.monotonic() - from > soonMs) throw lost;
    try {
      return await call();
    } catch (error) {
      throw error instanceof StoreUnavailableError ? lost : error;
    }
  }
}

/** Whether the store could not be reached. */
export function isOutage(failure: unknown): boolean {
  return failure instanceof StoreUnavailableError || failure instanceof OutcomeUnknownError;
}
