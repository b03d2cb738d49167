import { rejection } from '../connection/fixtures.ts';
import { outOfTime } from '../support/clock/out-of-time.ts';

/** The clock is what makes it pass (`late`). */
export const patient = { timeoutMs: 60_000, retries: 2 };

/** The failure of a call whose reply was lost, or that was never sent, when its deadline has passed. */
export async function late(call: Promise<unknown>, lost?: Promise<void>): Promise<Error> {
  const failure = rejection(call);
  await lost;
  return outOfTime(failure, patient.timeoutMs / 2);
}
