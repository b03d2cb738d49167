import type { FastifyRequest } from 'fastify';
import { sessionCookie } from 'holdfast/http';

/** It ends with the browser: the session's own expiry moves with each message, and is the store's to know. */
export function freshCookie(request: FastifyRequest, token: string): string {
  return sessionCookie(token, { secure: isSecure(request) });
}

export function clearedCookie(request: FastifyRequest): string {
  return sessionCookie(null, { secure: isSecure(request) });
}

/**
 * Plain HTTP is for localhost alone; anywhere else the browser must have come over HTTPS, whether or
 * not the proxy says so. A client that lies about either header spoils only its own cookie.
 */
export function isSecure({ headers }: FastifyRequest): boolean {
  const forwarded = headers['x-forwarded-proto'];
  const scheme = String(forwarded ?? '')
    .split(',')[0]
    ?.trim();
  return scheme === 'https' || !isLoopback(headers.host ?? '');
}

function isLoopback(host: string): boolean {
  return /^(?:localhost|[a-z0-9-]+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i.test(host);
}
