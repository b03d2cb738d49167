import { HoldfastError } from '../errors/errors.ts';

/** A problem as of RFC 9457, with the error's stable code. Serve it as `application/problem+json`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
}

/**
 * What to tell an HTTP client of an error. Of one that is not Holdfast's it says nothing: that may
 * hold anything, and belongs in the log. So do the own words of some that are: `detailOf`.
 */
export function toProblem(error: unknown): Problem {
  if (!(error instanceof HoldfastError)) {
    return {
      type: 'about:blank',
      title: 'Internal server error',
      status: 500,
      detail: somethingWrong,
      code: 'INTERNAL',
    };
  }
  const { code, status, title } = error;
  return { type: `urn:holdfast:error:${code}`, title, status, detail: detailOf(error), code };
}

const somethingWrong = 'Something went wrong here. Try again later.';

function detailOf({ code, status, message, remedy }: HoldfastError): string {
  // What failed inside (a setting, a key) is the operators' affair, not the client's.
  if (status === 500) return somethingWrong;
  switch (code) {
    // So is where the store is.
    case 'STORE_UNAVAILABLE':
      return 'The session store did not answer. Retry shortly.';
    case 'OUTCOME_UNKNOWN':
      return 'The session store did not answer, and the request may have taken effect. Retry shortly, under the same Idempotency-Key if it had one.';
    // Whatever was wrong with a token, its sender learns the same: no session can be probed for.
    case 'INVALID_TOKEN':
      return remedy;
    // What differs, told to a thief, would say what to imitate.
    case 'FINGERPRINT_MISMATCH':
      return `The client does not match the session. ${remedy}`;
    default:
      return message;
  }
}
