import {
  type HoldfastError,
  IdempotencyMismatchError,
  SessionBusyError,
} from '../../errors/errors.ts';
import { invalidToken } from '../../model/token.ts';
import { closed, notFound } from '../core/refusals.ts';

/** Why a turn may not begin. */
export function beginRefusal(id: string, kind: string): HoldfastError {
  switch (kind) {
    case 'none':
    case 'user':
      return notFound(id);
    case 'token':
      return invalidToken();
    case 'closed':
      return closed(id);
    case 'mismatch':
      return new IdempotencyMismatchError('This idempotency key was used for another request.');
    default:
      return new SessionBusyError(`A turn is running in session ${id}.`);
  }
}
