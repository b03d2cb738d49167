import { createHmac, hkdfSync } from 'node:crypto';
import { inspect } from 'node:util';
import { LRUCache } from 'lru-cache';
import { ConfigError } from '../errors/errors.ts';
import { parseKey } from './parse-key.ts';

export interface KeyRingOptions {
  /** Derived keys that are kept, each of them for one session. Default 10,000. */
  readonly derivedKeys?: number | undefined;
}

/**
 * The keys that records are encrypted with: the first writes, all read. To change the key, put the new
 * one at the end of every instance's ring, then at its front, then drop the old one after
 * `holdfast rekey`.
 */
export class KeyRing {
  readonly #derivedKeys: number;
  #keys: Keys;
  #byId: ReadonlyMap<string, RingKey>;

  private constructor(keys: Keys, derivedKeys: number) {
    this.#derivedKeys = derivedKeys;
    this.#keys = keys;
    this.#byId = byId(keys);
  }

  /**
   * @param text keys as `parseKey` takes them, separated by commas.
   * @throws ConfigError for a malformed, weak or doubled key; it names the key's place, never the key.
   */
  static parse(text: string, { derivedKeys = 10_000 }: KeyRingOptions = {}): KeyRing {
    return new KeyRing(parseKeys(text, derivedKeys), derivedKeys);
  }

  /** The key that writes. */
  get primary(): RingKey {
    return this.#keys[0];
  }

  /** In the order of the ring. */
  get keys(): readonly [RingKey, ...RingKey[]] {
    return this.#keys;
  }

  find(id: string): RingKey | undefined {
    return this.#byId.get(id);
  }

  /**
   * Takes other keys in place, at once; with a text that is wrong everything stays as it was.
   * @throws ConfigError
   */
  replace(text: string): void {
    const keys = parseKeys(text, this.#derivedKeys);
    this.#keys = keys;
    this.#byId = byId(keys);
  }

  toJSON(): object {
    return { keyIds: this.#keys.map(({ id }) => id) };
  }

  [inspect.custom](): string {
    return `KeyRing { ${this.#keys.map(({ id }) => id).join(', ')} }`;
  }
}

type Keys = readonly [RingKey, ...RingKey[]];
type DerivedKeys = LRUCache<string, Buffer>;

/** A key of the ring. Its bytes stay inside. */
export class RingKey {
  /** 8 hexadecimal digits, derived from the key: they give nothing of it away. */
  readonly id: string;
  readonly #bytes: Buffer;
  readonly #derived: DerivedKeys;

  constructor(bytes: Buffer, derived: DerivedKeys) {
    this.#bytes = bytes;
    this.#derived = derived;
    this.id = this.#derive(['key id'], 4).toString('hex');
  }

  /**
   * A key of 256 bits for one purpose, by HKDF-SHA256 (RFC 5869): keys of different purposes say nothing
   * of each other. @param purpose what it is for, in parts without a line feed.
   */
  derive(...purpose: readonly string[]): Buffer {
    const name = `${this.id}\n${purpose.join('\n')}`;
    const known = this.#derived.get(name);
    if (known !== undefined) return known;
    const key = this.#derive(purpose, 32);
    this.#derived.set(name, key);
    return key;
  }

  equals(other: RingKey): boolean {
    return this.#bytes.equals(other.#bytes);
  }

  #derive(purpose: readonly string[], length: number): Buffer {
    const info = ['holdfast', ...purpose].join('\n');
    return Buffer.from(hkdfSync('sha256', this.#bytes, '', info, length));
  }
}

function parseKeys(text: string, derivedKeys: number): Keys {
  const parts = text.split(',').map((part) => part.trim());
  const nameOf = (at: number) =>
    parts.length === 1 ? 'The encryption key' : `Encryption key ${at + 1} of ${parts.length}`;
  const derived = new LRUCache<string, Buffer>({ max: derivedKeys });
  const keys = parts.map((part, at) => new RingKey(parseKey(part, nameOf(at)), derived));
  for (const [at, key] of keys.entries()) {
    const earlier = keys.findIndex(({ id }) => id === key.id);
    if (earlier === at) continue;
    throw new ConfigError(
      keys[earlier]?.equals(key)
        ? `${nameOf(at)} is key ${earlier + 1} once more. Leave one of them out.`
        : `${nameOf(at)} has the id of key ${earlier + 1}, ${key.id}. Make another one in its place.`,
    );
  }
  return keys as [RingKey, ...RingKey[]];
}

function byId(keys: Keys): ReadonlyMap<string, RingKey> {
  return new Map(keys.map((key) => [key.id, key]));
}

/** A keyed name: the same text has the same one under the same key, and nobody else can tell. */
export function keyedName(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url').slice(0, 32);
}
