import { randomBytes } from 'node:crypto';
import { ConfigError } from '../errors/errors.ts';

const leastBytes = 32;

const remedy =
  "Make one with: node -e \"console.log(require('node:crypto').randomBytes(32).toString('base64url'))\"";

/** A fresh key of 256 bits from the CSPRNG, in base64url. */
export function generateKey(): string {
  return randomBytes(leastBytes).toString('base64url');
}

/**
 * The bytes of a key: a Fernet key (44 characters of base64url), 64 hexadecimal characters, or base64
 * or base64url of 32 bytes or more. 64 characters that could be both are hexadecimal.
 *
 * @param name how messages call it; they never show the key.
 * @throws ConfigError with a sentence of its own for each way in which a key can be wrong.
 */
export function parseKey(text: string, name = 'The key'): Buffer {
  const refuse = (why: string) => new ConfigError(`${name} ${why}. ${remedy}`);
  if (text === '') throw refuse('is empty');
  if (/^(["']).*\1$/s.test(text))
    throw refuse('is in quotation marks, which are not part of a key');
  if (/\s/.test(text)) throw refuse('has white space in it');
  if (/^[0-9a-f]+$/i.test(text)) {
    const key = parseHex(text, refuse);
    if (key !== null) return assertStrong(key, refuse);
  }
  const [, body = '', padding = ''] = /^([^=]*)(=*)$/.exec(text) ?? [];
  if (/[+/]/.test(body) && /[-_]/.test(body)) {
    throw refuse('mixes the characters of base64 (+ /) and of base64url (- _)');
  }
  if (!/^[A-Za-z0-9+/_-]+$/.test(body)) throw refuse('is neither base64 nor hexadecimal');
  if (body.length % 4 === 1) throw refuse('was cut: no base64 has its length');
  if (padding !== '' && (body.length + padding.length) % 4 !== 0) {
    throw refuse('has the wrong number of "=" at its end');
  }
  const key = Buffer.from(body, 'base64url');
  if (key.length < leastBytes) {
    throw refuse(`has ${key.length} bytes, and needs ${leastBytes} or more`);
  }
  if (key.toString('base64url') !== body.replaceAll('+', '-').replaceAll('/', '_')) {
    throw refuse('was changed at its end: the last character has bits that belong to no byte');
  }
  return assertStrong(key, refuse);
}

type Refuse = (why: string) => ConfigError;

/** `null` for what is not long enough to be meant as hexadecimal, or may be base64 as well. */
function parseHex(text: string, refuse: Refuse): Buffer | null {
  if (text.length === 2 * leastBytes) return Buffer.from(text, 'hex');
  if (text.length % 2 === 1)
    throw refuse(`has ${text.length} hexadecimal characters, an odd number`);
  throw refuse(`has ${text.length} hexadecimal characters, and needs 64`);
}

/** What nobody gets from a CSPRNG in the lifetime of the universe. */
function assertStrong(key: Buffer, refuse: Refuse): Buffer {
  for (const period of [1, 2, 4, 8, 16]) {
    if (key.every((byte, at) => byte === key[at % period])) {
      throw refuse(period === 1 ? 'is one byte again and again' : 'repeats a pattern');
    }
  }
  if (key.every((byte, at) => at === 0 || byte === (((key[at - 1] ?? 0) + 1) & 255))) {
    throw refuse('only counts up');
  }
  if (key.every((byte) => byte >= 0x20 && byte < 0x7f)) {
    throw refuse('is text in base64, which is easier to guess than random bytes');
  }
  return key;
}
