import { createHash } from 'node:crypto';
import type { Codec, RecordPlace } from '../codec/codec.ts';
import { DecryptionError } from '../errors/errors.ts';
import type { JsonValue } from '../json/json-value.ts';
import { open, seal, tagBytes } from './aes-gcm.ts';
import { decryptToken, encryptToken } from './fernet.ts';
import { type KeyRing, keyedName, type RingKey } from './key-ring.ts';
import { nonceBytes } from './nonces.ts';

/** `none` writes plain JSON and reads what is encrypted too: before encryption is on, or after it. */
export type Cipher = 'aes-256-gcm' | 'fernet' | 'none';

export interface EncryptionOptions {
  /** What writes; what the others wrote is read. Default `aes-256-gcm`. */
  readonly cipher?: Cipher | undefined;
  /** Which namespace the records are of: they are worth nothing in another one. */
  readonly namespace: string;
  /** Read what is not encrypted, as from before encryption was on. Default false. */
  readonly allowPlaintext?: boolean | undefined;
}

/** The first byte of an envelope: neither JSON text nor a Fernet token begins with it. */
const envelopeVersion = 1;
const keyIdBytes = 4;
const headBytes = 1 + keyIdBytes;
/** The first byte of a Fernet token, which is stored without its base64. */
const fernetVersion = 0x80;
/** In front of what a Fernet token holds: SHA-256 of the record's place. */
const digestBytes = 32;

const jsonStarts = new Set(Buffer.from('{["tfn-0123456789'));

/**
 * Encrypts each record with a key of its session's own, bound to its place: moved to another session,
 * namespace, incarnation, kind, position or version it cannot be read.
 *
 * With AES-256-GCM a record is an envelope `version · key id · nonce · ciphertext · tag`, whose place
 * is authenticated with it. A Fernet token has no room for that: there a digest of the place is
 * encrypted in front of the value. Nothing is compressed, so nothing can be blown up.
 */
export function createCodec(
  ring: KeyRing,
  { cipher = 'aes-256-gcm', namespace, allowPlaintext = cipher === 'none' }: EncryptionOptions,
): Codec {
  const encrypts = cipher !== 'none';
  const records = new Encryption(ring, namespace);
  const userName = (key: RingKey, userId: string) =>
    keyedName(key.derive('user names', namespace), userId);
  return {
    name: cipher,
    authenticates: encrypts,
    encode(value, place) {
      if (cipher === 'aes-256-gcm') return records.toEnvelope(value, place);
      return encrypts ? records.toFernet(value, place) : JSON.stringify(value);
    },
    decode(bytes, place) {
      const first = bytes[0];
      if (first === envelopeVersion) return records.ofEnvelope(bytes, place);
      if (first === fernetVersion) return records.ofFernet(bytes, place);
      if (first === undefined || !jsonStarts.has(first)) throw unknownForm(place);
      if (allowPlaintext) return parse(bytes);
      throw new DecryptionError(
        `The stored ${place.kind} of session ${place.sessionId} is not encrypted, and so anybody may have put it there. If it is from before encryption was on, set SESSION_ENCRYPTION_ALLOW_PLAINTEXT=true until all is encrypted.`,
      );
    },
    isStale(bytes, place) {
      if (!encrypts) return bytes[0] === envelopeVersion || bytes[0] === fernetVersion;
      if (cipher === 'fernet') return !records.isOfPrimaryFernet(bytes, place);
      return bytes[0] !== envelopeVersion || keyIdOf(bytes) !== ring.primary.id;
    },
    userNames(userId) {
      const [first, ...others] = ring.keys;
      const names = others.map((key) => userName(key, userId));
      if (!encrypts) return [userId, userName(first, userId), ...names];
      return [userName(first, userId), ...names, ...(allowPlaintext ? [userId] : [])];
    },
  };
}

class Encryption {
  readonly #ring: KeyRing;
  readonly #namespace: string;
  readonly #heads = new WeakMap<RingKey, Buffer>();

  constructor(ring: KeyRing, namespace: string) {
    this.#ring = ring;
    this.#namespace = namespace;
  }

  toEnvelope(value: JsonValue, place: RecordPlace): Buffer {
    const key = this.#ring.primary;
    const text = JSON.stringify(value);
    return seal(this.#keyOf(key, place), this.#headOf(key), text, this.#aad(key, place));
  }

  ofEnvelope(bytes: Buffer, place: RecordPlace): JsonValue {
    if (bytes.length < headBytes + nonceBytes + tagBytes) throw unknownForm(place);
    const id = keyIdOf(bytes);
    const key = this.#ring.find(id);
    if (key === undefined) throw unknownKey(id, place);
    const text = open(this.#keyOf(key, place), bytes, headBytes, this.#aad(key, place));
    if (text === null) throw forged(place);
    return parse(text);
  }

  toFernet(value: JsonValue, place: RecordPlace): Buffer {
    const key = this.#ring.primary;
    const bytes = Buffer.concat([this.#digest(place), Buffer.from(JSON.stringify(value))]);
    return encryptToken(this.#keyOf(key, place), bytes);
  }

  /** A token does not say by which key it was made: each is tried. */
  ofFernet(token: Buffer, place: RecordPlace): JsonValue {
    let failure: unknown;
    for (const key of this.#ring.keys) {
      try {
        return this.#openFernet(key, token, place);
      } catch (error) {
        failure = error;
      }
    }
    throw new DecryptionError(
      `No key of the ring opens the stored ${place.kind} of session ${place.sessionId}: it was made with another key, moved or changed.`,
      { cause: failure },
    );
  }

  isOfPrimaryFernet(token: Buffer, place: RecordPlace): boolean {
    if (token[0] !== fernetVersion) return false;
    try {
      this.#openFernet(this.#ring.primary, token, place);
      return true;
    } catch (error) {
      if (error instanceof DecryptionError) return false;
      throw error;
    }
  }

  #openFernet(key: RingKey, token: Buffer, place: RecordPlace): JsonValue {
    // The servers' clocks differ; a record's time says nothing about whether it may be read.
    const now = token.length < timeEnd ? 0 : token.readUIntBE(timeEnd - 6, 6);
    const bytes = decryptToken(this.#keyOf(key, place), token, { now });
    if (!bytes.subarray(0, digestBytes).equals(this.#digest(place))) throw forged(place);
    return parse(bytes.subarray(digestBytes));
  }

  #keyOf(key: RingKey, { sessionId, incarnation }: RecordPlace): Buffer {
    return key.derive('records', this.#namespace, sessionId, incarnation);
  }

  /** No part but the last can have a line feed, so that different places never look alike. */
  #aad({ id }: RingKey, place: RecordPlace): Buffer {
    return Buffer.from(`${envelopeVersion}\n${id}\n${this.#textOf(place)}`);
  }

  #digest(place: RecordPlace): Buffer {
    return createHash('sha256').update(this.#textOf(place)).digest();
  }

  #textOf({ sessionId, incarnation, kind, position }: RecordPlace): string {
    return `${this.#namespace}\n${sessionId}\n${incarnation}\n${kind}\n${position}`;
  }

  #headOf(key: RingKey): Buffer {
    let head = this.#heads.get(key);
    if (head === undefined) {
      head = Buffer.concat([Buffer.of(envelopeVersion), Buffer.from(key.id, 'hex')]);
      this.#heads.set(key, head);
    }
    return head;
  }
}

/** Where a token's time ends: 64 bits, of which 48 hold all times to come. */
const timeEnd = 9;

function keyIdOf(envelope: Buffer): string {
  return envelope.toString('hex', 1, headBytes);
}

/** JSON.parse makes `__proto__` a key like any other; what reads records refuses it. */
function parse(text: Buffer): JsonValue {
  return JSON.parse(text.toString()) as JsonValue;
}

function unknownForm({ kind, sessionId }: RecordPlace): DecryptionError {
  return new DecryptionError(
    `The stored ${kind} of session ${sessionId} has no form that this version knows: it was cut or changed.`,
  );
}

function unknownKey(id: string, { kind, sessionId }: RecordPlace): DecryptionError {
  return new DecryptionError(
    `The stored ${kind} of session ${sessionId} was encrypted with key ${id}, which is not in the ring: add it to SESSION_ENCRYPTION_KEY behind the one that writes.`,
  );
}

function forged({ kind, sessionId }: RecordPlace): DecryptionError {
  return new DecryptionError(
    `The stored ${kind} of session ${sessionId} fails its authentication: it was changed, or moved from another place.`,
  );
}
