import { LRUCache } from 'lru-cache';
import type { RecordPlace } from '../codec/codec.ts';
import { type RingKey, saltOf } from './ring-key.ts';

interface Entry<Subkey> {
  readonly incarnation: string;
  readonly subkey: Subkey;
}

/**
 * Keys of sessions, derived from those of a ring. The last ones used are kept: deriving one costs more
 * than what it encrypts. They hang on their ring's key, and go when it goes.
 */
export class Subkeys<Subkey> {
  readonly #use: string;
  readonly #salt: Buffer;
  readonly #size: number;
  readonly #make: (bytes: Buffer, key: RingKey, place: RecordPlace) => Subkey;
  /** Of a session its last incarnation: there is no more than one at a time. */
  readonly #kept = new WeakMap<RingKey, LRUCache<string, Entry<Subkey>>>();

  /**
   * @param use what they are for; others get other keys
   * @param size how many are kept of each key of the ring
   * @param make makes one of 32 bytes
   */
  constructor(
    use: string,
    namespace: string,
    size: number,
    make: (bytes: Buffer, key: RingKey, place: RecordPlace) => Subkey,
  ) {
    this.#use = use;
    this.#salt = saltOf(namespace);
    this.#size = size;
    this.#make = make;
  }

  of(key: RingKey, place: RecordPlace): Subkey {
    const { sessionId, incarnation } = place;
    let kept = this.#kept.get(key);
    if (kept === undefined) {
      kept = new LRUCache({ max: this.#size });
      this.#kept.set(key, kept);
    }
    const found = kept.get(sessionId);
    if (found?.incarnation === incarnation) return found.subkey;
    const bytes = key.derive([this.#use, sessionId, incarnation], this.#salt);
    const subkey = this.#make(bytes, key, place);
    kept.set(sessionId, { incarnation, subkey });
    return subkey;
  }
}
