import type { Codec, RecordKind, RecordPlace } from '../codec/codec.ts';
import { decodeRecord } from '../codec/decode-record.ts';
import type { JsonValue } from '../json/json-value.ts';

/** Keeps one session's values through a codec, each bound to its place. */
export class Sealer {
  readonly #codec: Codec;
  readonly #place: Pick<RecordPlace, 'sessionId' | 'incarnation'>;

  constructor(codec: Codec, place: Pick<RecordPlace, 'sessionId' | 'incarnation'>) {
    this.#codec = codec;
    this.#place = place;
  }

  seal(value: JsonValue, kind: RecordKind, position: number | string): Buffer {
    const encoded = this.#codec.encode(value, { ...this.#place, kind, position });
    return typeof encoded === 'string' ? Buffer.from(encoded) : encoded;
  }

  /** @throws DecryptionError */
  open(sealed: Buffer, kind: RecordKind, position: number | string): JsonValue {
    return decodeRecord(this.#codec, sealed, { ...this.#place, kind, position });
  }
}

/**
 * One value that is written again and again. In the code that reads it, it is one and the same object
 * from one read to the next, as it is without a codec; between two pieces of code it may go.
 */
export class SealedValue<Value extends object> {
  readonly #sealer: Sealer;
  readonly #kind: RecordKind;
  #sealed: Buffer;
  #writes = 1;
  #open: WeakRef<Value>;

  constructor(sealer: Sealer, kind: RecordKind, value: Value) {
    this.#sealer = sealer;
    this.#kind = kind;
    this.#sealed = sealer.seal(value as JsonValue, kind, this.#writes);
    this.#open = new WeakRef(value);
  }

  get value(): Value {
    const open = this.#open.deref();
    if (open !== undefined) return open;
    const value = this.#sealer.open(this.#sealed, this.#kind, this.#writes) as unknown as Value;
    this.#open = new WeakRef(value);
    return value;
  }

  set value(value: Value) {
    this.#writes += 1;
    this.#sealed = this.#sealer.seal(value as JsonValue, this.#kind, this.#writes);
    this.#open = new WeakRef(value);
  }
}
