import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import { tokenVersion } from '../codec/encrypted-forms.ts';
import { DecryptionError } from '../errors/errors.ts';

/** The two halves of a Fernet key. */
export interface FernetKey {
  readonly signing: KeyObject;
  readonly encryption: KeyObject;
}

/** A token as bytes, of which only the length was looked at. */
export interface FernetToken {
  /** Version, time, IV and ciphertext: what the HMAC is of. */
  readonly signed: Buffer;
  readonly hmac: Buffer;
}

const cipher = 'aes-128-cbc';
export const ivBytes = 16;
const blockBytes = 16;
const hmacBytes = 32;
const timeAt = 1;
const ivAt = 9;
const ciphertextAt = ivAt + ivBytes;

/** @param bytes 32 */
export function fernetKey(bytes: Buffer): FernetKey {
  return {
    signing: createSecretKey(bytes.subarray(0, 16)),
    encryption: createSecretKey(bytes.subarray(16, 32)),
  };
}

/** The bytes of a token. @param seconds since the epoch, whole */
export function sealToken(key: FernetKey, text: Uint8Array, seconds: number, iv: Buffer): Buffer {
  const head = Buffer.alloc(ciphertextAt);
  head[0] = tokenVersion;
  head.writeBigUInt64BE(BigInt(seconds), timeAt);
  iv.copy(head, ivAt);
  const encryption = createCipheriv(cipher, key.encryption, iv);
  const signed = Buffer.concat([head, encryption.update(text), encryption.final()]);
  return Buffer.concat([signed, hmacOf(key, signed)]);
}

/** @throws DecryptionError unless the token is base64url, spelled as it must be */
export function bytesOfToken(token: string): Buffer {
  const bytes = Buffer.from(token, 'base64url');
  // Node reads over what is no base64; only the one right spelling comes back as it was.
  if (textOfToken(bytes) === token) return bytes;
  throw new DecryptionError('The Fernet token is not base64url with its padding.');
}

/** @throws DecryptionError unless it has enough bytes */
export function readToken(bytes: Buffer): FernetToken {
  if (bytes.length < ciphertextAt + hmacBytes) {
    throw new DecryptionError('The Fernet token is too short.');
  }
  return { signed: bytes.subarray(0, -hmacBytes), hmac: bytes.subarray(-hmacBytes) };
}

/** Compares in constant time. Nothing else of a token may be looked at before. */
export function isAuthentic(key: FernetKey, { signed, hmac }: FernetToken): boolean {
  return timingSafeEqual(hmacOf(key, signed), hmac);
}

/** When an authentic token was made, in seconds since the epoch. */
export function timeOf({ signed }: FernetToken): number {
  return Number(signed.readBigUInt64BE(timeAt));
}

/** What an authentic token says. @throws DecryptionError for one that was never well-formed */
export function openToken(key: FernetKey, { signed }: FernetToken): Buffer {
  if (signed[0] !== tokenVersion) {
    throw new DecryptionError('The Fernet token has another version than 0x80.');
  }
  const ciphertext = signed.subarray(ciphertextAt);
  if (ciphertext.length === 0 || ciphertext.length % blockBytes !== 0) {
    throw new DecryptionError('The Fernet token’s ciphertext does not consist of whole blocks.');
  }
  const decryption = createDecipheriv(cipher, key.encryption, signed.subarray(ivAt, ciphertextAt));
  const text = decryption.update(ciphertext);
  try {
    return Buffer.concat([text, decryption.final()]);
  } catch (cause) {
    throw new DecryptionError('The Fernet token’s padding is not that of PKCS #7.', { cause });
  }
}

function hmacOf({ signing }: FernetKey, signed: Buffer): Buffer {
  return createHmac('sha256', signing).update(signed).digest();
}

export function textOfToken(bytes: Buffer): string {
  return bytes.toString('base64url') + '='.repeat((3 - (bytes.length % 3)) % 3);
}
