import type { FastifyError } from 'fastify';
import { HoldfastError, TurnTimeoutError } from 'holdfast';
import { type Problem, toProblem } from 'holdfast/http';
import { ModelError, ModelServerError } from '../../model/model-error.ts';
import { HttpProblem, type HttpProblemCode } from './http-problem.ts';

/** What its sender is told of an error; the log has the error's own words. */
export function problemOf(error: HoldfastError | HttpProblem): Problem {
  // What would let the assistant work for longer is nothing for customers.
  if (error instanceof TurnTimeoutError) return { ...toProblem(error), detail: assistantSilent };
  if (error instanceof HoldfastError) return toProblem(error);
  const { title, status, message: detail, code } = error;
  return { type: `urn:holdfast:error:${code}`, title, status, detail, code };
}

/** The error as one that has a code and a status. */
export function knownError(error: unknown): HoldfastError | HttpProblem {
  if (error instanceof HoldfastError || error instanceof HttpProblem) return error;
  if (error instanceof ModelServerError) return modelProblem(error);
  if (error instanceof ModelError) {
    return new HttpProblem('MODEL_FAILED', assistantFailed, { cause: error });
  }
  const code = isFastifyError(error) ? error.code : '';
  const known = frameworkProblems[code];
  if (known !== undefined) return new HttpProblem(known[0], known[1], { cause: error });
  const status = clientFault(error);
  if (status === 412 || status === 416) {
    const code = status === 412 ? 'PRECONDITION_FAILED' : 'RANGE_NOT_SATISFIABLE';
    return new HttpProblem(code, 'Ask for the whole page, without conditions.', { cause: error });
  }
  if (isFastifyError(error) && status !== null) {
    return new HttpProblem('BAD_REQUEST', error.message, { cause: error });
  }
  // What serves the pages has no code for a path that it refuses: such a page does not exist.
  if (status !== null) return new HttpProblem('ROUTE_NOT_FOUND', noSuchAddress, { cause: error });
  return new HttpProblem(
    'INTERNAL',
    'The request could not be completed. Try it again, under the same Idempotency-Key if it has one.',
    { cause: error },
  );
}

/** Which server it is, and what is wrong with it, is in the log. */
function modelProblem(error: ModelServerError): HttpProblem {
  const { problem, retryAfterSeconds } = error;
  const options = {
    cause: error,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
  switch (problem) {
    case 'unavailable':
      return new HttpProblem('MODEL_UNAVAILABLE', assistantUnavailable, options);
    case 'silent':
      return new HttpProblem('MODEL_TIMEOUT', assistantSilent, options);
    case 'refused':
    case 'broken':
      return new HttpProblem('MODEL_FAILED', assistantFailed, options);
  }
}

const sendAgain =
  'The message is stored and not answered. Send it again shortly, under the same Idempotency-Key if it had one.';
const assistantUnavailable = `The assistant cannot answer now. ${sendAgain}`;
const assistantSilent = `The assistant took too long. ${sendAgain}`;
const assistantFailed = `The assistant’s answer failed. ${sendAgain}`;

export const noSuchAddress = 'There is nothing at this address.';

const frameworkProblems: Readonly<Record<string, readonly [HttpProblemCode, string]>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: [
    'MALFORMED_JSON',
    'The body must be valid JSON without the keys "__proto__" and "constructor.prototype".',
  ],
  FST_ERR_CTP_EMPTY_JSON_BODY: [
    'MALFORMED_JSON',
    'The body is empty. Send a JSON object, or leave the content type out.',
  ],
  FST_ERR_CTP_BODY_TOO_LARGE: ['BODY_TOO_LARGE', 'The body must be at most 1.1 MB.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'UNSUPPORTED_MEDIA_TYPE',
    'Send JSON, with the header Content-Type: application/json.',
  ],
  FST_ERR_BAD_URL: ['BAD_REQUEST', 'The address is not a valid URL path.'],
};

/** The status of an error that says it is the client's. */
function clientFault(error: unknown): number | null {
  if (!(error instanceof Error) || !('statusCode' in error)) return null;
  const { statusCode } = error;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500
    ? statusCode
    : null;
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
