import type { Codec, RecordPlace } from '../codec/codec.ts';
import { envelopeVersion, tokenVersion } from '../codec/encrypted-forms.ts';
import { ConfigError, DecryptionError } from '../errors/errors.ts';
import type { JsonValue } from '../json/json-value.ts';
import { AesRecords } from './aes-records.ts';
import { FernetRecords } from './fernet-records.ts';
import type { KeyRing } from './key-ring.ts';
import { KeyedHashes } from './keyed-hashes.ts';
import type { RingKey } from './ring-key.ts';

const ciphers = ['aes-256-gcm', 'fernet', 'none'] as const;

/** `none` writes plain JSON, and reads what is encrypted too: before encryption is on, or after it. */
export type CipherName = (typeof ciphers)[number];

export interface CodecOptions {
  /** What writes; what the others wrote is read. Default `aes-256-gcm`. */
  readonly cipher?: CipherName | undefined;
  /** Whose records these are: those of another namespace cannot be read. */
  readonly namespace: string;
  /**
   * Whether plain JSON is read, for the time in which encryption is being turned on. Whoever can
   * write to the storage can forge records meanwhile. Default false; with the cipher `none` it is.
   */
  readonly allowPlaintext?: boolean | undefined;
  /** Sessions whose keys are kept, of each key of the ring and for each cipher. Default 10,000. */
  readonly subkeyCacheSize?: number | undefined;
}

/**
 * JSON, encrypted and bound to its place. Nothing is compressed, so that neither lengths tell of
 * contents more than they must, nor can a small record unpack into a large one.
 *
 * @throws ConfigError for options that make no sense
 */
export function createCodec(ring: KeyRing, options: CodecOptions): Codec {
  const { cipher = 'aes-256-gcm', subkeyCacheSize = 10_000 } = options;
  if (!ciphers.includes(cipher)) {
    throw new ConfigError(`The cipher must be one of ${ciphers.join(', ')}.`);
  }
  if (!Number.isSafeInteger(subkeyCacheSize) || subkeyCacheSize < 1) {
    throw new ConfigError('subkeyCacheSize must be a whole number of at least 1.');
  }
  return new EncryptingCodec(ring, { ...options, cipher, subkeyCacheSize });
}

type ResolvedOptions = CodecOptions & {
  readonly cipher: CipherName;
  readonly subkeyCacheSize: number;
};

class EncryptingCodec implements Codec {
  readonly name: CipherName;
  readonly authenticates: boolean;
  readonly #ring: KeyRing;
  readonly #aes: AesRecords;
  readonly #fernet: FernetRecords;
  readonly #writer: AesRecords | FernetRecords | null;
  readonly #allowPlaintext: boolean;
  readonly #names: KeyedHashes;
  readonly #digests: KeyedHashes;

  constructor(
    ring: KeyRing,
    { cipher, namespace, subkeyCacheSize, allowPlaintext = cipher === 'none' }: ResolvedOptions,
  ) {
    this.name = cipher;
    this.authenticates = cipher !== 'none';
    this.#ring = ring;
    this.#aes = new AesRecords(ring, namespace, subkeyCacheSize);
    this.#fernet = new FernetRecords(ring, namespace, subkeyCacheSize);
    this.#writer = { 'aes-256-gcm': this.#aes, fernet: this.#fernet, none: null }[cipher];
    this.#allowPlaintext = allowPlaintext;
    this.#names = new KeyedHashes('user names', namespace);
    this.#digests = new KeyedHashes('request digests', namespace);
  }

  get keyIds(): readonly string[] {
    return this.#ring.keyIds;
  }

  onKeysRemoved(callback: () => void): () => void {
    return this.#ring.onRemoved(callback);
  }

  encode(value: JsonValue, place: RecordPlace): Buffer | string {
    const text = JSON.stringify(value);
    return this.#writer === null ? text : this.#writer.seal(text, place);
  }

  decode(bytes: Buffer, place: RecordPlace): JsonValue {
    const [first] = bytes;
    if (first === envelopeVersion) return parse(this.#aes.open(bytes, place), place);
    if (first === tokenVersion) return parse(this.#fernet.open(bytes, place), place);
    const { kind, sessionId } = place;
    if (first === undefined) {
      throw new DecryptionError(`The ${kind} of session ${sessionId} is empty.`, damaged);
    }
    if (beginsJson(first)) {
      if (this.#allowPlaintext) return parse(bytes, place);
      throw new DecryptionError(
        `The ${kind} of session ${sessionId} is stored in plain text, which is refused where encryption is on. If it is from before that, set SESSION_ENCRYPTION_ALLOW_PLAINTEXT=true until all of them are encrypted.`,
      );
    }
    throw new DecryptionError(
      `The ${kind} of session ${sessionId} has the format ${first}, which this version cannot read.`,
      damaged,
    );
  }

  isStale(bytes: Buffer, place: RecordPlace): boolean {
    const [first] = bytes;
    if (first === envelopeVersion)
      return this.#writer !== this.#aes || !this.#aes.isOfPrimary(bytes);
    if (first === tokenVersion) {
      return this.#writer !== this.#fernet || !this.#fernet.isOfPrimary(bytes, place);
    }
    return this.#writer !== null;
  }

  userNames(userId: string): readonly [string, ...string[]] {
    const under = (key: RingKey) => this.#names.under(key, userId);
    return this.#underAll(userId, under, this.#allowPlaintext);
  }

  digests(
    digest: string,
    { sessionId, position }: Pick<RecordPlace, 'sessionId' | 'position'>,
  ): readonly [string, ...string[]] {
    const text = JSON.stringify([sessionId, position, digest]);
    const under = (key: RingKey) => `${key.id}.${this.#digests.under(key, text)}`;
    return this.#underAll(digest, under, true);
  }

  /** What it is called under each key, and plainly where that is looked for: the one to write first. */
  #underAll(
    plain: string,
    under: (key: RingKey) => string,
    withPlain: boolean,
  ): readonly [string, ...string[]] {
    const { primary, keys } = this.#ring;
    const others = keys.filter((key) => key !== primary).map(under);
    if (this.#writer === null) return [plain, under(primary), ...others];
    if (withPlain) others.push(plain);
    return [under(primary), ...others];
  }
}

/** Whether JSON text as `JSON.stringify` writes it may begin with this byte. */
function beginsJson(byte: number): boolean {
  return /[[{"tfn\d-]/.test(String.fromCharCode(byte));
}

function parse(text: Buffer, { kind, sessionId }: RecordPlace): JsonValue {
  try {
    return JSON.parse(text.toString()) as JsonValue;
  } catch {
    // Without the cause: its message quotes the text.
    throw new DecryptionError(`The ${kind} of session ${sessionId} is no JSON.`, damaged);
  }
}

const damaged = { isDamaged: true } as const;
