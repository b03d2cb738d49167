import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';

const algorithm = 'aes-256-gcm';
export const tagBytes = 16;

// Without a length Node accepts tags of 4, 8 and 12 bytes too, which are guessed soon.
const wholeTag = { authTagLength: tagBytes } as const;

/**
 * Encrypts.
 *
 * @param key 32 bytes
 * @param nonce 12 bytes, never used with this key before
 * @param room bytes to leave free in front
 * @returns `room` bytes of anything, the ciphertext, the tag
 */
export function seal(
  key: KeyObject,
  nonce: Buffer,
  aad: Buffer,
  text: string | Buffer,
  room = 0,
): Buffer {
  const cipher = createCipheriv(algorithm, key, nonce, wholeTag);
  cipher.setAAD(aad);
  const ciphertext = typeof text === 'string' ? cipher.update(text, 'utf8') : cipher.update(text);
  cipher.final(); // of a stream cipher there is nothing left
  const tagAt = room + ciphertext.length;
  const sealed = Buffer.allocUnsafe(tagAt + tagBytes);
  sealed.set(ciphertext, room);
  sealed.set(cipher.getAuthTag(), tagAt);
  return sealed;
}

/**
 * Decrypts.
 *
 * @throws Error when any of this was changed, and for a tag of any other length than 16 bytes; nothing
 *   that was decrypted comes out then
 */
export function open(
  key: KeyObject,
  nonce: Buffer,
  aad: Buffer,
  ciphertext: Buffer,
  tag: Buffer,
): Buffer {
  const decipher = createDecipheriv(algorithm, key, nonce, wholeTag);
  decipher.setAAD(aad);
  decipher.setAuthTag(tag);
  const text = decipher.update(ciphertext);
  decipher.final();
  return text;
}
