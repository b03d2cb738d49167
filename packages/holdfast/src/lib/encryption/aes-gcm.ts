import { createCipheriv, createDecipheriv } from 'node:crypto';
import { nonceBytes, writeNonce } from './nonces.ts';

const cipher = 'aes-256-gcm';
/** Set wherever a cipher is made: left out, Node 20 takes tags of 4, 8 or 12 bytes too. */
export const tagBytes = 16;
const tagLength = { authTagLength: tagBytes } as const;

/**
 * Encrypts with AES-256-GCM (NIST SP 800-38D) under a fresh nonce.
 * @returns `head`, and behind it nonce, ciphertext and tag.
 */
export function seal(key: Buffer, head: Buffer, text: string, aad: Buffer): Buffer {
  const length = Buffer.byteLength(text);
  const start = head.length + nonceBytes;
  const sealed = Buffer.allocUnsafe(start + length + tagBytes);
  head.copy(sealed);
  writeNonce(sealed, head.length);
  const gcm = createCipheriv(cipher, key, sealed.subarray(head.length, start), tagLength);
  gcm.setAAD(aad);
  gcm.update(text, 'utf8').copy(sealed, start);
  gcm.final();
  gcm.getAuthTag().copy(sealed, start + length);
  return sealed;
}

/**
 * The text of nonce, ciphertext and tag, which begin at `from`.
 * @returns `null` unless the tag is right: for this key, these bytes and this `aad`.
 */
export function open(key: Buffer, sealed: Buffer, from: number, aad: Buffer): Buffer | null {
  const start = from + nonceBytes;
  const end = sealed.length - tagBytes;
  if (end < start) return null;
  const gcm = createDecipheriv(cipher, key, sealed.subarray(from, start), tagLength);
  gcm.setAAD(aad);
  gcm.setAuthTag(sealed.subarray(end));
  const text = gcm.update(sealed.subarray(start, end));
  try {
    gcm.final();
  } catch {
    return null;
  }
  return text;
}
