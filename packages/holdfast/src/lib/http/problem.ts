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
 * hold anything, and belongs in the log.
 */
export function toProblem(error: unknown): Problem {
  if (!(error instanceof HoldfastError)) {
    return {
      type: 'about:blank',
      title: 'Internal server error',
      status: 500,
      detail: 'Something went wrong here. Try again later.',
      code: 'INTERNAL',
    };
  }
  const { code, status, title, message } = error;
  // What failed inside (a setting, a key) is the operators' affair, not the client's.
  const detail = status === 500 ? 'Something went wrong here. Try again later.' : message;
  return { type: `urn:holdfast:error:${code}`, title, status, detail, code };
}
