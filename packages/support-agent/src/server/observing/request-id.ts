import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export const requestIdHeader = 'x-request-id';

/** It goes into logs and back to the client: visible ASCII, and not much of it. */
const sane = /^[\x21-\x7e]{1,128}$/;

/** The id under which a request is logged: the client's own, if it is fit for that, or a new one. */
export function requestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers[requestIdHeader];
  return typeof given === 'string' && sane.test(given) ? given : randomUUID();
}
