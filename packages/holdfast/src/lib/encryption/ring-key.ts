import { createHash, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { inspect } from 'node:util';

/** Bytes of a key's id. */
export const keyIdBytes = 4;

const derivedBytes = 32;

/**
 * One key of a ring. It encrypts nothing itself: what does is derived from it by HKDF-SHA256
 * (RFC 5869), for one purpose each. Nothing shows its bytes.
 */
export class RingKey {
  readonly #secret: KeyObject;
  /** 8 hex digits, derived as everything else is, so that they tell nothing of the key. */
  readonly id: string;
  /** The same as an unsigned number. */
  readonly idNumber: number;

  constructor(bytes: Uint8Array) {
    this.#secret = createSecretKey(bytes);
    const id = this.derive(['key id'], Buffer.alloc(0)).subarray(0, keyIdBytes);
    this.id = id.toString('hex');
    this.idNumber = id.readUInt32BE();
  }

  /**
   * 32 bytes that are for this purpose alone.
   *
   * @param purpose at most 1,000 bytes in all
   */
  derive(purpose: readonly string[], salt: Buffer): Buffer {
    // JSON, so that no two purposes are spelled alike.
    const info = JSON.stringify(['holdfast', ...purpose]);
    return Buffer.from(hkdfSync('sha256', this.#secret, salt, info, derivedBytes));
  }

  equals(other: RingKey): boolean {
    return this.#secret.equals(other.#secret);
  }

  toJSON(): { id: string } {
    return { id: this.id };
  }

  [inspect.custom](): string {
    return `RingKey { id: '${this.id}' }`;
  }
}

/** HKDF's salt of what belongs to a namespace. Hashed: HMAC takes "a" and "a\0" for the same key. */
export function saltOf(namespace: string): Buffer {
  return createHash('sha256').update(namespace).digest();
}
