import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import {
  HoldfastError,
  InvalidTokenError,
  LockTimeoutError,
  OutcomeUnknownError,
  StoreUnavailableError,
} from 'holdfast';
import { toProblem } from 'holdfast/http';
import { HttpProblem, type HttpProblemCode } from './http-problem.ts';

/** Answers every failure with an RFC 9457 problem. Only a defect or a failed store is logged as an error. */
export function errorHandler(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const known = knownError(error);
  // What operators look for: "Failed to acquire lock for session …".
  if (known instanceof LockTimeoutError) request.log.warn({ code: known.code }, known.message);
  else if (known.status >= 500)
    request.log.error({ err: error, code: known.code }, 'request failed');
  else request.log.info({ code: known.code }, 'request refused');
  if (known.status === 401) reply.header('www-authenticate', 'Bearer');
  if (known.status === 503) reply.header('retry-after', '1');
  void reply
    .status(known.status)
    .header('cache-control', 'no-store')
    .type('application/problem+json')
    .send(problemOf(known));
}

const noSuchAddress = 'There is nothing at this address.';

export function notFoundHandler(): never {
  throw new HttpProblem('ROUTE_NOT_FOUND', noSuchAddress);
}

/** Answers what is not even an HTTP request: there is no request or reply for it. */
export function clientErrorHandler(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const known = new HttpProblem(...(connectionProblems[error.code ?? ''] ?? malformedRequest));
  const body = JSON.stringify(problemOf(known));
  socket.end(
    [
      `HTTP/1.1 ${known.status} ${STATUS_CODES[known.status]}`,
      'Content-Type: application/problem+json',
      'Cache-Control: no-store',
      'Connection: close',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
}

const malformedRequest = ['BAD_REQUEST', 'This is not a valid HTTP request.'] as const;

const connectionProblems: Readonly<Record<string, readonly [HttpProblemCode, string]>> = {
  HPE_HEADER_OVERFLOW: ['HEADERS_TOO_LARGE', 'The headers must be at most 16 KB.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['REQUEST_TIMEOUT', 'The request took too long to arrive.'],
};

function problemOf(error: HoldfastError | HttpProblem) {
  if (error instanceof HoldfastError) return { ...toProblem(error), ...detailInstead(error) };
  const { title, status, message: detail, code } = error;
  return { type: `urn:holdfast:error:${code}`, title, status, detail, code };
}

/** For whoever sends requests; the log has the error's own words. */
function detailInstead(error: HoldfastError): { readonly detail?: string } {
  // Whatever was wrong with a token, its sender learns the same: no session can be probed for.
  if (error instanceof InvalidTokenError) return { detail: error.remedy };
  // Where the store is, is nothing for customers.
  if (error instanceof StoreUnavailableError) return { detail: storeUnavailable };
  if (error instanceof OutcomeUnknownError) return { detail: outcomeUnknown };
  return {};
}

const storeUnavailable = 'The session store did not answer. Retry shortly.';
const outcomeUnknown =
  'The session store did not answer, and the request may have taken effect. Retry shortly, under the same Idempotency-Key if it had one.';

function knownError(error: unknown): HoldfastError | HttpProblem {
  if (error instanceof HoldfastError || error instanceof HttpProblem) return error;
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
