import {
  DecryptionError,
  type HoldfastError,
  LeaseLostError,
  OutcomeUnknownError,
  SessionGoneError,
  SessionNotFoundError,
  StoreUnavailableError,
  TurnInterruptedError,
} from '../../errors/errors.ts';
import { sentenceOf } from '../../errors/sentence-of.ts';
import type { Answer } from './session-calls.ts';

export function notFound(id: string): SessionNotFoundError {
  return new SessionNotFoundError(`There is no session ${id} here.`);
}

/** Of a session whose header, state or credentials are not there, or are none. */
export function incomplete(id: string): DecryptionError {
  return new DecryptionError(`Of what is stored of session ${id} something is missing.`, {
    isDamaged: true,
  });
}

export function gone(id: string): SessionGoneError {
  return new SessionGoneError(`The session ${id} was deleted or has expired.`);
}

export function closed(id: string): SessionGoneError {
  return new SessionGoneError(`The session ${id} is closed.`);
}

export function leaseLost(id: string): LeaseLostError {
  return new LeaseLostError(`The lease on session ${id} has ended, so the write was refused.`);
}

export function interrupted(id: string): TurnInterruptedError {
  return new TurnInterruptedError(`A newer turn interrupted this one in session ${id}.`);
}

/**
 * What belongs to a write that has taken effect, its indexes or a look at what it left: repeating that
 * under its nonce does this again. Writes that are a part of this have nonces of their own, which say
 * nothing to the caller.
 */
export async function completing<Result>(nonce: string, rest: Promise<Result>): Promise<Result> {
  try {
    return await rest;
  } catch (cause) {
    if (!isIncomplete(cause)) throw cause;
    const message = 'A write took effect, but what goes with it could not be read or written.';
    throw new OutcomeUnknownError(message, { nonce, cause });
  }
}

/** Of a write for which callers have no nonce, and need none: made again it does no more. */
export async function repeatable<Result>(write: Promise<Result>): Promise<Result> {
  try {
    return await write;
  } catch (cause) {
    if (!(cause instanceof OutcomeUnknownError)) throw cause;
    const remedy =
      'Make the same call again: what it was to do is done once, whichever of the two did it.';
    throw new OutcomeUnknownError(sentenceOf(cause), { nonce: cause.nonce, cause, remedy });
  }
}

function isIncomplete(cause: unknown): boolean {
  return (
    cause instanceof StoreUnavailableError ||
    cause instanceof OutcomeUnknownError ||
    cause instanceof DecryptionError
  );
}

/**
 * A refusal that may be due to this very write's first call: it took effect, its reply was lost, and
 * what came after it hides that.
 */
export function unlessRepeated(
  { repeated }: Pick<Answer, 'repeated'>,
  nonce: string,
  refusal: HoldfastError,
): HoldfastError {
  if (!repeated) return refusal;
  return new OutcomeUnknownError(
    'The reply to a write was lost, and whether it took effect can no longer be learned.',
    { nonce, cause: refusal },
  );
}
