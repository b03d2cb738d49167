import { randomFillSync } from 'node:crypto';
import { ValidationError } from '../errors/errors.ts';

const idPattern = /^[A-Za-z0-9._:@-]{1,255}$/;

export function isId(value: unknown): value is string {
  return typeof value === 'string' && idPattern.test(value);
}

/**
 * @throws ValidationError unless the value is 1 to 255 characters of `[A-Za-z0-9._:@-]`.
 */
export function assertId(value: unknown, what: string): asserts value is string {
  if (isId(value)) return;
  throw new ValidationError(
    `${what} must be 1 to 255 characters of A-Z a-z 0-9 . _ : @ -, not ${shown(value)}.`,
  );
}

const idBytes = 18;

/** Drawn in batches: a call to the CSPRNG costs twenty times what the bytes of one id do. */
const pool = Buffer.alloc(128 * idBytes);
let drawn = pool.length;

/** A random id: 144 bits from the CSPRNG, 24 characters, fit for URLs and logs. */
export function randomId(): string {
  if (drawn === pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  drawn += idBytes;
  return pool.toString('base64url', drawn - idBytes, drawn);
}

/** Shows enough of a refused value to find it, and never floods a log. */
function shown(value: unknown): string {
  if (typeof value !== 'string') return value === null ? 'null' : `a value of type ${typeof value}`;
  if (value === '') return 'an empty string';
  return value.length > 40 ? `a string of ${value.length} characters` : JSON.stringify(value);
}
