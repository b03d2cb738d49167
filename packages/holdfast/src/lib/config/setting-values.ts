import { z } from 'zod';
import { parseIpRange } from '../net/ip-address.ts';
import { parsePlace } from '../redis/connection/place.ts';

/** A whole number written in decimal, within bounds; `why` says what the bounds are for. */
export const wholeNumber = (min: number, max: number, why = '') => {
  const message = `must be a whole number from ${min} to ${max}${why}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, message)
    .transform(Number)
    .pipe(z.number().min(min, message).max(max, message));
};

export const whole = (min: number, max: number, fallback: number, why?: string) =>
  wholeNumber(min, max, why).prefault(String(fallback));

export const oneOf = <const Values extends readonly [string, ...string[]]>(
  values: Values,
  fallback: Values[number],
) => z.enum(values, `must be one of ${values.join(', ')}`).prefault(fallback);

export const flag = (fallback: boolean) =>
  z.stringbool({ error: 'must be true or false' }).prefault(fallback ? 'true' : 'false');

/** A flag whose default depends on other settings. */
export const optionalFlag = () => z.stringbool({ error: 'must be true or false' }).optional();

const listed = (text: string) => text.split(',').flatMap((item) => item.trim() || []);

/** Some of these, comma-separated; all of them unless set. */
export const someOf = <const Values extends readonly [string, ...string[]]>(values: Values) => {
  const error = `must list ${values.join(', ')}, or some of them`;
  return z
    .string()
    .prefault(values.join(','))
    .transform(listed)
    .pipe(z.array(z.enum(values, error)).nonempty(error));
};

/** Origins as browsers send them (RFC 6454, section 6.2), exactly. */
export const origins = z
  .string()
  .prefault('')
  .transform(listed)
  .refine(
    (list) => list.every(isOrigin),
    'must list origins such as https://shop.example, each with its scheme and without a path',
  );

function isOrigin(text: string): boolean {
  return URL.canParse(text) && /^https?:/.test(text) && new URL(text).origin === text;
}

/**
 * The address below which an HTTP API is. What is after its path would end up in the middle of the API's
 * own addresses, and a user and password are nothing that `fetch` takes.
 */
export const apiBase = (fallback: string) =>
  z
    .string()
    .prefault(fallback)
    .refine(
      isApiBase,
      'must be an address such as https://host/v1, by http or https, without a user, query, fragment or space',
    );

function isApiBase(text: string): boolean {
  if (!URL.canParse(text) || !/^https?:/i.test(text)) return false;
  const { username, password } = new URL(text);
  return username === '' && password === '' && !/[?#\s]/.test(text);
}

/** Addresses and ranges; or a number of proxies, whatever their addresses are. */
export const trustedProxies = z
  .string()
  .prefault('')
  .transform((text) => (/^ *[1-9]\d? *$/.test(text) ? Number(text) : listed(text)))
  .refine(
    (proxies) =>
      typeof proxies === 'number' || proxies.every((item) => parseIpRange(item) !== null),
    'must list addresses or CIDR ranges such as 10.0.0.0/8, or be a number of proxies from 1 to 99',
  );

/** Servers as `host:port`, comma-separated; undefined unless set. */
export const servers = z
  .string()
  .optional()
  .transform((text) => (text === undefined ? undefined : listed(text)))
  .refine(
    (list) => list === undefined || (list.length > 0 && list.every((item) => parsePlace(item))),
    'must be host:port, host:port, …; IPv6 as [::1]:6379',
  );

/** Where servers are reached, by how they name each other. */
export const natMap = z
  .string()
  .prefault('')
  .transform((text) => listed(text).map((pair) => pair.split('=').map((part) => part.trim())))
  .refine(
    (pairs) => pairs.every((pair) => pair.length === 2 && pair.every((part) => parsePlace(part))),
    'must be host:port=host:port, …: how servers name each other, and where they are reached',
  )
  .transform((pairs) => Object.fromEntries(pairs) as Record<string, string>);

/** The path of a file that is read at the start. */
export const file = (meaning: string) => z.string().min(1).optional().describe(meaning);

/** In minutes. */
export const days = (count: number) => count * 24 * 60;
