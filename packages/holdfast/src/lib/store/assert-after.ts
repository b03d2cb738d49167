import { ValidationError } from '../errors/errors.ts';

/** @throws ValidationError unless it can be the `seq` of an event that a reader has seen, or 0. */
export function assertAfter(after: number | undefined): void {
  if (after === undefined || (Number.isSafeInteger(after) && after >= 0)) return;
  throw new ValidationError(`after must be a whole number from 0, not ${after}.`);
}
