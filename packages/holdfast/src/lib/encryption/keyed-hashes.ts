import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { type RingKey, saltOf } from './ring-key.ts';

/** 144 bits. */
const hashBytes = 18;

/** HMAC-SHA256 (RFC 2104) for one use in one namespace, under keys derived from those of a ring. */
export class KeyedHashes {
  readonly #use: string;
  readonly #salt: Buffer;
  /** They hang on their ring's key, and go when it goes. */
  readonly #keys = new WeakMap<RingKey, KeyObject>();

  /** @param use what is hashed; others get other keys */
  constructor(use: string, namespace: string) {
    this.#use = use;
    this.#salt = saltOf(namespace);
  }

  /** 24 characters of base64url. */
  under(ringKey: RingKey, text: string): string {
    let key = this.#keys.get(ringKey);
    if (key === undefined) {
      key = createSecretKey(ringKey.derive([this.#use], this.#salt));
      this.#keys.set(ringKey, key);
    }
    return createHmac('sha256', key).update(text).digest().toString('base64url', 0, hashBytes);
  }
}
