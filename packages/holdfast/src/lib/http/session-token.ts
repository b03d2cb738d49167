import { type HeaderSource, readHeader } from './headers.ts';

/** Over HTTPS. The prefix makes browsers insist on Secure, Path=/ and no Domain (RFC 6265bis, 4.1.3). */
const secureName = '__Host-holdfast';
/** Over plain HTTP, which is for localhost alone: there the prefix is refused. */
const plainName = 'holdfast';

export interface SessionCookieOptions {
  /** Whether the client reached the server over HTTPS. */
  readonly secure: boolean;
  /** When the session ends, in milliseconds since the epoch; left out, with the browser. */
  readonly expiresAt?: number | undefined;
}

/**
 * The value of a `Set-Cookie` header that carries the session's token; `null` takes it back.
 */
export function sessionCookie(token: string | null, options: SessionCookieOptions): string {
  const { secure, expiresAt } = options;
  const parts = [`${secure ? secureName : plainName}=${token ?? ''}`, 'Path=/', 'HttpOnly'];
  if (secure) parts.push('Secure');
  parts.push('SameSite=Lax');
  if (token === null) parts.push('Max-Age=0');
  else if (expiresAt !== undefined) parts.push(`Expires=${new Date(expiresAt).toUTCString()}`);
  return parts.join('; ');
}

/**
 * The token of a request: from `Authorization: Bearer` (RFC 6750) or else the session cookie; `null`
 * when it has neither. `source` says which, because a cookie comes along uncalled: what changes
 * something must then be checked for its origin.
 *
 * @param options.secure whether the request came over HTTPS. Then only the cookie with the `__Host-`
 *   prefix counts: another one could have been planted by a neighbouring host.
 */
export function readToken(
  headers: HeaderSource,
  { secure = false }: { readonly secure?: boolean | undefined } = {},
): { readonly token: string; readonly source: 'header' | 'cookie' } | null {
  const authorization = readHeader(headers, 'authorization')?.trim() ?? '';
  // Credentials of another scheme are not for us: a proxy may ask for some of its own.
  if (/^Bearer(\s|$)/i.test(authorization)) {
    const token = /^Bearer +([^\s]+)$/i.exec(authorization)?.[1];
    return token === undefined ? null : { token, source: 'header' };
  }
  const cookies = new Map<string, string>();
  for (const pair of (readHeader(headers, 'cookie') ?? '').split(';')) {
    const [name = '', ...value] = pair.trim().split('=');
    if (!cookies.has(name)) cookies.set(name, value.join('='));
  }
  const token = cookies.get(secureName) ?? (secure ? undefined : cookies.get(plainName));
  return token === undefined || token === '' ? null : { token, source: 'cookie' };
}
