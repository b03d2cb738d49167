import { LeaseLostError, TurnInterruptedError } from '../errors/errors.ts';

export function leaseLost(id: string): LeaseLostError {
  return new LeaseLostError(`The lease on session ${id} has ended, so the write was refused.`);
}

export function interrupted(id: string): TurnInterruptedError {
  return new TurnInterruptedError(`A newer turn interrupted this one in session ${id}.`);
}
