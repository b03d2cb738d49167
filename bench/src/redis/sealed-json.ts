import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** JSON under AES-256-GCM, bound to what it belongs to: nonce, ciphertext, tag. */
export class SealedJson {
  readonly #key = randomBytes(32);

  seal(value: unknown, belongsTo: string): Buffer {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv(algorithm, this.#key, nonce, { authTagLength: tagBytes });
    cipher.setAAD(Buffer.from(belongsTo));
    const text = cipher.update(JSON.stringify(value), 'utf8');
    return Buffer.concat([nonce, text, cipher.final(), cipher.getAuthTag()]);
  }

  /** @throws Error when it was changed, or belongs to something else */
  open(sealed: Buffer, belongsTo: string): unknown {
    const nonce = sealed.subarray(0, nonceBytes);
    const decipher = createDecipheriv(algorithm, this.#key, nonce, { authTagLength: tagBytes });
    decipher.setAAD(Buffer.from(belongsTo));
    decipher.setAuthTag(sealed.subarray(-tagBytes));
    const text = decipher.update(sealed.subarray(nonceBytes, -tagBytes), undefined, 'utf8');
    return JSON.parse(text + decipher.final('utf8'));
  }
}
