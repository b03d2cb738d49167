import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { DecryptionError, ValidationError } from '../errors/errors.ts';

const version = 0x80;
const ivAt = 9;
const bodyAt = 25;
const macBytes = 32;
const blockBytes = 16;
/** How far a token's time may be ahead of ours, in seconds. */
const maxSkewSeconds = 60;

export interface FernetEncryptOptions {
  /** Seconds since the epoch; the present unless given. */
  readonly now?: number | undefined;
  /** 16 bytes, never used twice; random unless given. */
  readonly iv?: Uint8Array | undefined;
}

export interface FernetDecryptOptions {
  /** Refuse a token that is older, in seconds from 0; any age unless given. */
  readonly ttlSeconds?: number | undefined;
  /** Seconds since the epoch; the present unless given. */
  readonly now?: number | undefined;
}

/**
 * Fernet tokens (https://github.com/fernet/spec, version 0x80): AES-128-CBC and HMAC-SHA256 over
 * version, time, IV and ciphertext.
 */
export const fernet = {
  /** A fresh key: 32 random bytes as 44 characters of base64url. */
  generateKey(): string {
    return encodeToken(randomBytes(32));
  },

  /**
   * @param key as `generateKey` makes it.
   * @throws ValidationError for a malformed key, time or IV.
   */
  encrypt(key: string, bytes: Uint8Array, options: FernetEncryptOptions = {}): string {
    return encodeToken(encryptToken(keyBytes(key), bytes, options));
  },

  /**
   * @throws DecryptionError for a token that is malformed, forged, expired (with `ttlSeconds`) or more
   *   than 60 s from the future; ValidationError for a malformed key, time or time to live.
   */
  decrypt(key: string, token: string, options: FernetDecryptOptions = {}): Buffer {
    return decryptToken(keyBytes(key), decodeToken(token), options);
  },
};

export function encryptToken(
  key: Buffer,
  bytes: Uint8Array,
  { now = Date.now() / 1000, iv = randomBytes(blockBytes) }: FernetEncryptOptions = {},
): Buffer {
  if (iv.length !== blockBytes) throw new ValidationError(`The IV must have ${blockBytes} bytes.`);
  const head = Buffer.alloc(bodyAt);
  head[0] = version;
  head.writeBigUInt64BE(BigInt(seconds(now, 'now')), 1);
  head.set(iv, ivAt);
  const cbc = createCipheriv('aes-128-cbc', key.subarray(16), iv);
  const signed = Buffer.concat([head, cbc.update(bytes), cbc.final()]);
  return Buffer.concat([signed, macOf(key, signed)]);
}

/** @throws DecryptionError */
export function decryptToken(
  key: Buffer,
  token: Buffer,
  { ttlSeconds, now = Date.now() / 1000 }: FernetDecryptOptions = {},
): Buffer {
  if (token.length < bodyAt + blockBytes + macBytes) {
    throw new DecryptionError('The Fernet token is too short.');
  }
  if (token[0] !== version) throw new DecryptionError('The Fernet token is of another version.');
  const end = token.length - macBytes;
  if ((end - bodyAt) % blockBytes !== 0) {
    throw new DecryptionError(
      'The ciphertext of the Fernet token does not consist of whole blocks.',
    );
  }
  // Before anything that it protects is looked at.
  if (!timingSafeEqual(macOf(key, token.subarray(0, end)), token.subarray(end))) {
    throw new DecryptionError('The Fernet token was made with another key, or changed.');
  }
  const made = token.readBigUInt64BE(1);
  const present = BigInt(seconds(now, 'now'));
  if (ttlSeconds !== undefined && made + BigInt(seconds(ttlSeconds, 'ttlSeconds')) < present) {
    throw new DecryptionError('The Fernet token has expired.');
  }
  if (made > present + BigInt(maxSkewSeconds)) {
    throw new DecryptionError(
      `The Fernet token is from the future, by more than ${maxSkewSeconds} s.`,
    );
  }
  const cbc = createDecipheriv('aes-128-cbc', key.subarray(16), token.subarray(ivAt, bodyAt));
  try {
    return Buffer.concat([cbc.update(token.subarray(bodyAt, end)), cbc.final()]);
  } catch {
    throw new DecryptionError('The padding of the Fernet token is wrong.');
  }
}

function macOf(key: Buffer, signed: Buffer): Buffer {
  return createHmac('sha256', key.subarray(0, 16)).update(signed).digest();
}

function keyBytes(key: string): Buffer {
  const bytes = Buffer.from(key, 'base64url');
  if (bytes.length === 32 && encodeToken(bytes) === key) return bytes;
  throw new ValidationError('A Fernet key is 44 characters of base64url, of 32 bytes.');
}

function seconds(value: number, name: string): number {
  const whole = Math.floor(value);
  if (Number.isSafeInteger(whole) && whole >= 0) return whole;
  throw new ValidationError(`${name} must be a number of seconds from 0.`);
}

/** Base64url with padding, as the specification has it. */
export function encodeToken(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

/** @throws DecryptionError for anything but what `encode` makes. */
function decodeToken(token: string): Buffer {
  const bytes = Buffer.from(token, 'base64url');
  if (encodeToken(bytes) === token) return bytes;
  throw new DecryptionError('The Fernet token is not base64url.');
}
