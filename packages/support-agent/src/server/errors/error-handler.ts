import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type HoldfastError, LockTimeoutError } from 'holdfast';
import { type Problem, readToken } from 'holdfast/http';
import { isSecure } from '../cookies.ts';
import type { DueAnswers } from '../due-answers.ts';
import { requestIdHeader } from '../observing/request-id.ts';
import { HttpProblem, type HttpProblemCode } from './http-problem.ts';
import { knownError, noSuchAddress, problemOf } from './known-error.ts';

/** Answers every failure with an RFC 9457 problem. Only a defect or a failed store is logged as an error. */
export function errorHandler(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const known = knownError(error);
  log(known, error, request);
  if (known.code === 'INVALID_TOKEN' || known.code === 'OPERATOR_ONLY') refused.add(request);
  // What goes wrong before the hooks have run is answered under the request's id, too.
  reply.header(requestIdHeader, request.id);
  // Fastify would close the connection, which resets it while a client still sends: then that has no answer.
  // Left open, Node reads on until the request has arrived or has taken too long.
  if (known.code === 'BODY_TOO_LARGE') reply.removeHeader('connection');
  if (known.status === 401) reply.header('www-authenticate', 'Bearer');
  const retryAfter = retryAfterOf(known);
  if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
  void reply
    .status(known.status)
    .header('cache-control', 'no-store')
    .type('application/problem+json')
    .send(problemOf(known));
}

/** Requests that were refused for their token or key. */
const refused = new WeakSet<FastifyRequest>();

/** For a request whose key is wrong and which is answered all the same. */
export function noteWrongCredentials(request: FastifyRequest): void {
  refused.add(request);
}

/** Whether the request had a token or key, and a wrong one. */
export function hadWrongCredentials(request: FastifyRequest): boolean {
  return refused.has(request) && readToken(request.headers, { secure: isSecure(request) }) !== null;
}

/** In seconds; undefined where trying again is no use, or any time. */
function retryAfterOf(known: HoldfastError | HttpProblem): number | undefined {
  if (known instanceof HttpProblem && known.retryAfterSeconds !== undefined) {
    return known.retryAfterSeconds;
  }
  return known.status === 503 ? 1 : undefined;
}

/** The problem for a client whose answer has begun: it is told in the stream, and logged as any other. */
export function problemInStream(error: unknown, request: FastifyRequest): Problem {
  const known = knownError(error);
  log(known, error, request);
  return problemOf(known);
}

function log(known: HoldfastError | HttpProblem, error: unknown, request: FastifyRequest): void {
  const { code, status, message } = known;
  // What operators look for: "Failed to acquire lock for session …".
  if (known instanceof LockTimeoutError) request.log.warn({ code }, message);
  else if (meant.has(code)) request.log.warn({ code }, 'request refused');
  else if (status >= 500) request.log.error({ err: error, code }, 'request failed');
  else request.log.info({ code }, 'request refused');
}

/** No failure: the server refuses by itself what it cannot do now. */
const meant: ReadonlySet<string> = new Set<HttpProblemCode>(['STREAM_LIMIT', 'SERVER_CLOSING']);

export function notFoundHandler(): never {
  throw new HttpProblem('ROUTE_NOT_FOUND', noSuchAddress);
}

/**
 * Answers what is not even an HTTP request: there is no request or reply for it. What came before it over its
 * connection is answered first, or it would be taken for the answer to that; and an answer that has begun to a
 * request that never ends is cut off, or it would be taken for the rest of that.
 */
export function clientErrorHandler(answers: DueAnswers): ClientErrorHandler {
  /** How the connection ends once nothing is due over it. */
  const ends = new WeakMap<Socket, () => void>();
  answers.onAnswered((socket) => {
    if (!answers.isOwing(socket)) ends.get(socket)?.();
  });
  return (error, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    // What comes behind it makes no sense either.
    if (ends.has(socket)) return;
    const end = () => {
      if (answers.isAnswering(socket)) socket.destroy();
      else refuse(error, socket);
    };
    ends.set(socket, end);
    if (!answers.isOwing(socket)) end();
  };
}

type ClientError = Error & { code?: string };
type ClientErrorHandler = (error: ClientError, socket: Socket) => void;

function refuse(error: ClientError, socket: Socket): void {
  if (!socket.writable) return;
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
