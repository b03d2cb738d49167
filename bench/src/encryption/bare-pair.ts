import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';

const algorithm = 'aes-256-gcm';
const wholeTag = { authTagLength: 16 } as const;
const key = createSecretKey(randomBytes(32));
const nonce = randomBytes(12);

/** Encrypts a text and decrypts it again: one key, one nonce that is ready, nothing bound to it. */
export function throughBarePair(text: string): string {
  const cipher = createCipheriv(algorithm, key, nonce, wholeTag);
  const ciphertext = cipher.update(text, 'utf8');
  cipher.final();
  const tag = cipher.getAuthTag();
  const decipher = createDecipheriv(algorithm, key, nonce, wholeTag);
  decipher.setAuthTag(tag);
  const plain = decipher.update(ciphertext);
  decipher.final();
  return plain.toString();
}
