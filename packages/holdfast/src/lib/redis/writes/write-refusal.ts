import { ValidationError, VersionConflictError } from '../../errors/errors.ts';
import { maxCounters } from '../../model/limits.ts';
import { int, text } from '../connection/reply.ts';
import {
  closed,
  gone,
  interrupted,
  leaseLost,
  notFound,
  unlessRepeated,
} from '../core/refusals.ts';
import type { Answer } from '../core/session-calls.ts';
import type { WriteOrder } from './write-order.ts';

/** A reply that refuses the write says that it was not made by an earlier call either, or why not. */
export function writeRefusal(
  id: string,
  { lease, nonce, ifVersion }: WriteOrder,
  { reply, repeated }: Answer,
): Error {
  switch (text(reply[0])) {
    case 'gone':
      return unlessRepeated(
        { repeated: repeated && text(reply[1]) !== '1' },
        nonce,
        lease === undefined ? notFound(id) : gone(id),
      );
    case 'lost':
      return leaseLost(id);
    case 'interrupted':
      return interrupted(id);
    case 'version':
      return versionConflict(id, int(reply[1]), ifVersion ?? lease?.ifVersion ?? 0);
    case 'closed':
      return closed(id);
    case 'token':
      return tokenConflict(id);
    case 'counter':
      return counterRefusal(text(reply[1]), text(reply[2]));
    default:
      return new TypeError(`The write script replied with ${text(reply[0])}.`);
  }
}

export function versionConflict(id: string, found: number, expected: number): VersionConflictError {
  return new VersionConflictError(`The session ${id} is at version ${found}, not at ${expected}.`);
}

export function tokenConflict(id: string): VersionConflictError {
  return new VersionConflictError(`The token of session ${id} was changed meanwhile.`);
}

function counterRefusal(name: string, why: string): ValidationError {
  return new ValidationError(
    why === 'many'
      ? `A session has at most ${maxCounters} counters.`
      : `The counter "${name}" would leave the safe integers (2^53 - 1).`,
  );
}
