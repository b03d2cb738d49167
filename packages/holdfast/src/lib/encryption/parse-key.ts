import { randomBytes } from 'node:crypto';
import { ConfigError } from '../errors/errors.ts';
import { isHex, weaknessOf } from './weak-key.ts';

/** The least that a key must have: as much as the ciphers' own keys. */
const leastBytes = 32;

const howToMakeOne = 'Make one with: npx holdfast keygen';

/** A key of 256 bits from the CSPRNG, as 44 characters of base64url: a Fernet key's form. */
export function generateKey(): string {
  return `${randomBytes(leastBytes).toString('base64url')}=`;
}

/**
 * The bytes of a key: a Fernet key, 64 hex characters, or base64 or base64url of 32 bytes or more,
 * padded or not. White space around it is no part of it.
 *
 * @param where names the key in the error, which never shows it
 * @throws ConfigError that says what is wrong with the key and how to make one
 */
export function parseKey(text: string, where = 'The encryption key'): Buffer {
  const key = text.trim();
  const refuse = (why: string) => new ConfigError(`${where} ${why}. ${howToMakeOne}.`);
  if (key === '') throw refuse('is empty');
  if (/["'`]/.test(key)) throw refuse('has quotes in it: give the key without them');
  if (/\s/.test(key)) {
    throw refuse('has white space in it: give each key in one piece, and commas between keys');
  }
  const bytes = isHex(key) ? hexBytes(key) : base64Bytes(key);
  if (typeof bytes === 'string') throw refuse(bytes);
  if (bytes.length < leastBytes) {
    throw refuse(`is too short: it has ${bytes.length} bytes, and ${leastBytes} are needed`);
  }
  const weakness = weaknessOf(bytes, key);
  if (weakness !== null) throw refuse(weakness);
  return bytes;
}

/** The bytes, or why there are none. */
function hexBytes(key: string): Buffer | string {
  if (key.length % 2 === 0) return Buffer.from(key, 'hex');
  return `is hex of ${key.length} characters, an odd number: one was lost or is too many`;
}

/** The bytes, or why there are none. */
function base64Bytes(key: string): Buffer | string {
  if (!/^[A-Za-z0-9+/_=-]+$/.test(key)) {
    return 'has characters that neither hex nor base64 has';
  }
  if (/[+/]/.test(key) && /[-_]/.test(key)) return 'mixes base64 and base64url';
  const [body = '', ...padding] = key.split(/(?==)/);
  if (body.includes('=') || padding.some((each) => each !== '=')) {
    return 'has the sign = before its end, where base64 has none';
  }
  if (padding.length > 0 && (key.length % 4 !== 0 || padding.length > 2)) {
    return 'has the wrong number of = at its end: characters were lost, or are too many';
  }
  const bytes = Buffer.from(body, 'base64');
  const again = bytes.toString(/[+/]/.test(body) ? 'base64' : 'base64url').replace(/=+$/, '');
  if (again !== body) {
    return 'is no complete base64: characters were lost, are too many, or were changed';
  }
  return bytes;
}
