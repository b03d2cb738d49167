import { randomBytes } from 'node:crypto';
import { ConfigError, DecryptionError, ValidationError } from '../errors/errors.ts';
import {
  bytesOfToken,
  type FernetKey,
  fernetKey,
  isAuthentic,
  ivBytes,
  openToken,
  readToken,
  sealToken,
  textOfToken,
  timeOf,
} from './fernet-token.ts';
import { generateKey } from './parse-key.ts';

/** How far, in seconds, the clock of who made a token may be ahead. */
const clockSkewSeconds = 60;

export interface FernetEncryptOptions {
  /** Seconds since the epoch, rounded down; the system's clock unless given. */
  readonly now?: number | undefined;
  /** 16 bytes, for tests; random unless given. */
  readonly iv?: Uint8Array | undefined;
}

export interface FernetDecryptOptions {
  /** How old the token may be; unlimited unless given. */
  readonly ttlSeconds?: number | undefined;
  /** Seconds since the epoch, rounded down; the system's clock unless given. */
  readonly now?: number | undefined;
}

/**
 * Fernet tokens, byte-compatible with the specification (github.com/fernet/spec) and so with Python's
 * `cryptography`. What encrypts sessions uses keys of its own, derived from those of the ring.
 */
export const fernet = {
  /** A key: 32 random bytes as 44 characters of base64url. */
  generateKey,

  /**
   * @throws ConfigError for a malformed key
   * @throws ValidationError for a malformed time or IV
   */
  encrypt(key: string, bytes: Uint8Array, options: FernetEncryptOptions = {}): string {
    const { now, iv = randomBytes(ivBytes) } = options;
    if (iv.length !== ivBytes) throw new ValidationError(`iv must have ${ivBytes} bytes.`);
    const token = sealToken(parseFernetKey(key), bytes, wholeSeconds(now), Buffer.from(iv));
    return textOfToken(token);
  },

  /**
   * Refuses what is not spelled exactly as it must be, and a token from more than 60 seconds ahead,
   * whether or not there is a time to live. The HMAC is checked before anything it covers.
   *
   * @throws DecryptionError that says which check failed
   * @throws ConfigError for a malformed key
   * @throws ValidationError for a malformed time
   */
  decrypt(key: string, token: string, options: FernetDecryptOptions = {}): Buffer {
    const { ttlSeconds } = options;
    if (ttlSeconds !== undefined && !(ttlSeconds >= 0)) {
      throw new ValidationError('ttlSeconds must be 0 or more.');
    }
    const now = wholeSeconds(options.now);
    const keys = parseFernetKey(key);
    const read = readToken(bytesOfToken(token));
    if (!isAuthentic(keys, read)) {
      throw new DecryptionError('The Fernet token’s HMAC is not one of this key.');
    }
    const made = timeOf(read);
    if (ttlSeconds !== undefined && made + ttlSeconds < now) {
      throw new DecryptionError('The Fernet token is older than its time to live.');
    }
    if (made > now + clockSkewSeconds) {
      throw new DecryptionError(
        `The Fernet token is from the future, by more than ${clockSkewSeconds} seconds.`,
      );
    }
    return openToken(keys, read);
  },
} as const;

function parseFernetKey(key: string): FernetKey {
  const bytes = Buffer.from(key, 'base64url');
  if (bytes.length !== 32 || `${bytes.toString('base64url')}=` !== key) {
    throw new ConfigError('A Fernet key must be 32 bytes as 44 characters of base64url.');
  }
  return fernetKey(bytes);
}

function wholeSeconds(now = Date.now() / 1000): number {
  const seconds = Math.floor(now);
  if (Number.isSafeInteger(seconds) && seconds >= 0) return seconds;
  throw new ValidationError('now must be seconds since the epoch.');
}
