import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { InvalidTokenError } from '../errors/errors.ts';
import { isId } from './ids.ts';

export interface IssuedToken {
  /** For the client alone; it is not kept. */
  readonly token: string;
  /** What is stored. */
  readonly hash: string;
}

const prefix = 'hf1';
const tokenPattern = /^hf1\.([A-Za-z0-9_-]{2,340})\.([A-Za-z0-9_-]{43})$/;

/**
 * A bearer token: the session's id and a secret of 256 bits from the CSPRNG, in characters that an
 * `Authorization` header (RFC 6750, section 2.1) and a cookie both take.
 */
export function issueToken(sessionId: string): IssuedToken {
  const secret = randomBytes(32).toString('base64url');
  const token = `${prefix}.${Buffer.from(sessionId).toString('base64url')}.${secret}`;
  return { token, hash: hashOf(token) };
}

/** The session that a token names, and the token's hash; `null` when it is not a token at all. */
export function parseToken(token: unknown): { sessionId: string; hash: string } | null {
  if (typeof token !== 'string') return null;
  const encodedId = tokenPattern.exec(token)?.[1];
  if (encodedId === undefined) return null;
  const sessionId = Buffer.from(encodedId, 'base64url').toString();
  return isId(sessionId) ? { sessionId, hash: hashOf(token) } : null;
}

/** Compares in constant time. A session without a token matches none. */
export function sameHash(stored: string | null, given: string): boolean {
  if (stored === null) return false;
  const a = Buffer.from(stored);
  const b = Buffer.from(given);
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The same for every reason, so that no session can be probed for. */
export function invalidToken(): InvalidTokenError {
  return new InvalidTokenError('The session token is missing, malformed or not valid.');
}

/** One pass of SHA-256 is enough: the secret has 256 bits, so there is nothing to guess. */
function hashOf(token: string): string {
  return hash('sha256', token, 'base64url');
}
