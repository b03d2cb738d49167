import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { HoldfastError, InvalidTokenError } from 'holdfast';
import { toProblem } from 'holdfast/http';
import { HttpProblem, type HttpProblemCode } from './http-problem.ts';

/** Answers every failure with an RFC 9457 problem. Only a defect or a failed store is logged as an error. */
export function errorHandler(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const known = knownError(error);
  if (known.status >= 500) request.log.error({ err: error, code: known.code }, 'request failed');
  else request.log.info({ code: known.code }, 'request refused');
  if (known.status === 401) reply.header('www-authenticate', 'Bearer');
  if (known.status === 503) reply.header('retry-after', '1');
  void reply
    .status(known.status)
    .header('cache-control', 'no-store')
    .type('application/problem+json')
    .send(problemOf(known));
}

export function notFoundHandler(request: FastifyRequest): never {
  throw new HttpProblem(
    'ROUTE_NOT_FOUND',
    `There is no ${request.method} ${request.url.split('?', 1)[0]}.`,
  );
}

/** Whatever was wrong with a token, its sender learns the same: no session can be probed for. */
function problemOf(error: HoldfastError | HttpProblem) {
  if (error instanceof InvalidTokenError) return { ...toProblem(error), detail: error.remedy };
  if (error instanceof HoldfastError) return toProblem(error);
  const { title, status, message: detail, code } = error;
  return { type: `urn:holdfast:error:${code}`, title, status, detail, code };
}

function knownError(error: unknown): HoldfastError | HttpProblem {
  if (error instanceof HoldfastError || error instanceof HttpProblem) return error;
  const code = isFastifyError(error) ? error.code : '';
  const known = frameworkProblems[code];
  if (known !== undefined) return new HttpProblem(known[0], known[1], { cause: error });
  if (isFastifyError(error) && error.statusCode !== undefined && error.statusCode < 500) {
    return new HttpProblem('BAD_REQUEST', error.message, { cause: error });
  }
  return new HttpProblem(
    'INTERNAL',
    'The request could not be completed. Try it again, under the same Idempotency-Key if it has one.',
    { cause: error },
  );
}

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

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
