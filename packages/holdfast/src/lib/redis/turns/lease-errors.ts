import {
  type HoldfastError,
  IdempotencyMismatchError,
  LeaseLostError,
  SessionBusyError,
  SessionGoneError,
  TurnInterruptedError,
} from '../../errors/errors.ts';
import { invalidToken } from '../../model/token.ts';
import { notFound } from '../core/redis-core.ts';

export function leaseLost(id: string): LeaseLostError {
  return new LeaseLostError(`The lease on session ${id} has ended, so the write was refused.`);
}

export function interrupted(id: string): TurnInterruptedError {
  return new TurnInterruptedError(`A newer turn interrupted this one in session ${id}.`);
}

/** Why a turn may not begin. */
export function refusal(id: string, kind: string): HoldfastError {
  switch (kind) {
    case 'none':
    case 'user':
      return notFound(id);
    case 'token':
      return invalidToken();
    case 'closed':
      return new SessionGoneError(`The session ${id} is closed.`);
    case 'mismatch':
      return new IdempotencyMismatchError('This idempotency key was used for another request.');
    default:
      return new SessionBusyError(`A turn is running in session ${id}.`);
  }
}
