import type { FastifyRequest } from 'fastify';
import { readToken } from 'holdfast/http';
import { HttpProblem } from '../errors/http-problem.ts';

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * A browser sends the cookie with a request that another site made it send, and the credentials of a
 * proxy's login too, but never a bearer token by itself. So an unsafe request without one must come
 * from our own pages, or from something that is no browser and says neither where it comes from. Pages
 * of the named origins may send one as well, as to open a session, but never with a cookie.
 *
 * @param origins as `CORS_ORIGINS` names them.
 * @throws HttpProblem for any other.
 */
export function requireSameOrigin(request: FastifyRequest, origins: readonly string[]): void {
  if (safeMethods.has(request.method)) return;
  if (readToken(request.headers)?.source === 'header') return;
  const { cookie, origin, 'sec-fetch-site': site } = request.headers;
  if (cookie === undefined && origin !== undefined && origins.includes(origin)) return;
  const allowed =
    site === undefined
      ? isOwnOrigin(origin, request.headers.host)
      : site === 'same-origin' || site === 'none';
  if (!allowed) {
    throw new HttpProblem(
      'CROSS_SITE_REQUEST',
      'A request with the session cookie must come from this site. From elsewhere, send the token as Authorization: Bearer.',
    );
  }
}

/** Hosts are compared and not schemes: behind a proxy that ends TLS ours is not known. */
function isOwnOrigin(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}
