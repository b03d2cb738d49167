import { inspect } from 'node:util';
import { ConfigError } from '../errors/errors.ts';
import { parseKey } from './parse-key.ts';
import { RingKey, saltOf } from './ring-key.ts';

/** What is derived from one key of a ring. */
export interface DerivedKey {
  readonly keyId: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

interface Keys {
  readonly primary: RingKey;
  readonly byId: ReadonlyMap<string, RingKey>;
}

/**
 * Keys of which the first writes and all read. Its keys can be replaced while it is in use: all who
 * have the ring use the new ones from then on.
 */
export class KeyRing {
  #keys: Keys;
  readonly #setting: string;
  readonly #onRemoved = new Set<() => void>();

  private constructor(keys: Keys, setting: string) {
    this.#keys = keys;
    this.#setting = setting;
  }

  /**
   * @param text keys with commas between them, as `parseKey` takes them
   * @param setting where the text is from; named in errors
   * @throws ConfigError for a malformed or weak key, for the same key twice, and for two that have
   *   one id. It names the key by its position, and never shows it.
   */
  static parse(text: string, setting = 'SESSION_ENCRYPTION_KEY'): KeyRing {
    return new KeyRing(parseKeys(text, setting), setting);
  }

  /**
   * Takes these keys instead, all at once. What was derived from a key that is no longer among them
   * is forgotten; of one that stays, it is kept.
   *
   * @throws ConfigError as `parse` does; then the ring keeps the keys that it has
   */
  replace(text: string): void {
    const before = this.keys;
    this.#keys = parseKeys(text, this.#setting, before);
    if (before.every((key) => this.keys.includes(key))) return;
    for (const tell of [...this.#onRemoved]) tell();
  }

  /** Calls back when keys were taken away; not any more after the returned function was called. */
  onRemoved(callback: () => void): () => void {
    // Not the caller's function itself, which may be given twice.
    const tell = () => callback();
    this.#onRemoved.add(tell);
    return () => this.#onRemoved.delete(tell);
  }

  /** The key that writes. */
  get primary(): RingKey {
    return this.#keys.primary;
  }

  /** All keys, in their order. */
  get keys(): readonly RingKey[] {
    return [...this.#keys.byId.values()];
  }

  /** The ids of all keys, in their order, of 8 hex digits each. */
  get keyIds(): readonly string[] {
    return [...this.#keys.byId.keys()];
  }

  find(keyId: string): RingKey | undefined {
    return this.#keys.byId.get(keyId);
  }

  /**
   * Keys for another use, one of each key in their order: the first writes, all read.
   *
   * @param purpose at most 900 bytes; a use of its own, such as `fingerprint`
   */
  derive(purpose: string, namespace: string): readonly DerivedKey[] {
    const salt = saltOf(namespace);
    return this.keys.map((key) => ({ keyId: key.id, key: key.derive([purpose], salt) }));
  }

  toJSON(): { keyIds: readonly string[] } {
    return { keyIds: this.keyIds };
  }

  [inspect.custom](): string {
    return `KeyRing { keyIds: ${inspect(this.keyIds)} }`;
  }
}

/** @param present keys to go on with where the text has them too */
function parseKeys(text: string, setting: string, present: readonly RingKey[] = []): Keys {
  const texts = text.split(',');
  const nameOf = (index: number) =>
    texts.length === 1 ? setting : `Key ${index + 1} of ${texts.length} in ${setting}`;
  const byId = new Map<string, RingKey>();
  for (const [index, each] of texts.entries()) {
    const bytes = parseKey(each, nameOf(index));
    const key = new RingKey(bytes);
    bytes.fill(0);
    const other = byId.get(key.id);
    if (other !== undefined) {
      const earlier = `key ${[...byId.keys()].indexOf(key.id) + 1}`;
      throw new ConfigError(
        other.equals(key)
          ? `${nameOf(index)} is the same as ${earlier}. Take one of them away.`
          : `${nameOf(index)} has by chance the key id ${key.id}, as ${earlier} has. Make another key in its place.`,
      );
    }
    byId.set(key.id, present.find((kept) => kept.equals(key)) ?? key);
  }
  const [primary] = byId.values();
  if (primary === undefined) throw new ConfigError(`${setting} has no key.`);
  return { primary, byId };
}
