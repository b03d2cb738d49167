import type { Clock } from '../clock.ts';
import { OutcomeUnknownError } from '../errors/errors.ts';
import { randomId } from '../model/ids.ts';
import { onceMore } from './once-more.ts';

/**
 * A write of a new token, of which nobody has the token until it has succeeded: so only this call itself can
 * repeat it, once.
 *
 * @param told what is to be said where its outcome remains unknown
 * @throws OutcomeUnknownError with a remedy in place of the repetition
 */
export async function writingToken<Result>(
  clock: Clock,
  write: (nonce: string) => Promise<Result>,
  told: { readonly message: string; readonly remedy: string },
): Promise<Result> {
  const nonce = randomId();
  try {
    return await onceMore(clock, () => write(nonce));
  } catch (cause) {
    if (!(cause instanceof OutcomeUnknownError)) throw cause;
    throw new OutcomeUnknownError(told.message, { nonce, cause, remedy: told.remedy });
  }
}

/** @param isNamed the caller has given the id, and can ask for the session again */
export function maybeCreated(id: string, isNamed: boolean) {
  return {
    message: `The session ${id} may have been created, and its token went with the reply.`,
    remedy: isNamed
      ? 'Create it again: if it is there, that is refused, and rotateToken gives it a token.'
      : 'Create another one: nobody has the token of this one, which ends by its idle timeout, or by revoke.',
  };
}

export function maybeRotated(id: string) {
  return {
    message: `The token of session ${id} may have been replaced, and the new one went with the reply.`,
    remedy:
      'Rotate it again: if the old token is refused by then, authenticate the client anew, and rotate without it.',
  };
}
