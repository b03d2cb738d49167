import { createSecretKey, type KeyObject } from 'node:crypto';
import type { RecordPlace } from '../codec/codec.ts';
import { envelopeVersion } from '../codec/encrypted-forms.ts';
import { DecryptionError } from '../errors/errors.ts';
import { open, seal, tagBytes } from './aes-gcm.ts';
import type { KeyRing } from './key-ring.ts';
import { drawNonce, nonceBytes } from './nonces.ts';
import { recordText, sessionText } from './place.ts';
import { keyIdBytes } from './ring-key.ts';
import { Subkeys } from './subkeys.ts';

const keyIdAt = 1;
const nonceAt = keyIdAt + keyIdBytes;
const ciphertextAt = nonceAt + nonceBytes;

interface Subkey {
  readonly key: KeyObject;
  /** The part of the additional data that all records of the session have. */
  readonly session: string;
}

/** Records under AES-256-GCM: version, key id, nonce, ciphertext, tag. */
export class AesRecords {
  readonly #ring: KeyRing;
  readonly #subkeys: Subkeys<Subkey>;

  constructor(ring: KeyRing, namespace: string, subkeyCacheSize: number) {
    this.#ring = ring;
    this.#subkeys = new Subkeys(
      'aes-256-gcm',
      namespace,
      subkeyCacheSize,
      (bytes, { id }, place) => ({
        key: createSecretKey(bytes),
        session: sessionText(id, namespace, place),
      }),
    );
  }

  seal(text: string, place: RecordPlace): Buffer {
    const ringKey = this.#ring.primary;
    const { key, session } = this.#subkeys.of(ringKey, place);
    const nonce = drawNonce();
    const aad = Buffer.from(session + recordText(place));
    const envelope = seal(key, nonce, aad, text, ciphertextAt);
    envelope[0] = envelopeVersion;
    envelope.writeUInt32BE(ringKey.idNumber, keyIdAt);
    envelope.set(nonce, nonceAt);
    return envelope;
  }

  /** @param envelope begins with its version */
  open(envelope: Buffer, place: RecordPlace): Buffer {
    if (envelope.length < ciphertextAt + tagBytes) {
      throw new DecryptionError(
        `The ${place.kind} of session ${place.sessionId} is cut off: it has ${envelope.length} bytes, and no encrypted record has less than ${ciphertextAt + tagBytes}.`,
        { isDamaged: true },
      );
    }
    const keyId = envelope.readUInt32BE(keyIdAt);
    const { primary } = this.#ring;
    const ringKey =
      keyId === primary.idNumber
        ? primary
        : this.#ring.find(envelope.toString('hex', keyIdAt, nonceAt));
    if (ringKey === undefined) throw this.#unknownKey(envelope, place);
    const { key, session } = this.#subkeys.of(ringKey, place);
    try {
      return open(
        key,
        envelope.subarray(nonceAt, ciphertextAt),
        Buffer.from(session + recordText(place)),
        envelope.subarray(ciphertextAt, -tagBytes),
        envelope.subarray(-tagBytes),
      );
    } catch (cause) {
      throw new DecryptionError(
        `The ${place.kind} of session ${place.sessionId} failed authentication under key id ${ringKey.id}: it was changed, or belongs elsewhere.`,
        { cause, isDamaged: true },
      );
    }
  }

  /** Whether the first key of the ring made it; not one that is cut off in its key id. */
  isOfPrimary(envelope: Buffer): boolean {
    if (envelope.length < nonceAt) return false;
    return envelope.readUInt32BE(keyIdAt) === this.#ring.primary.idNumber;
  }

  #unknownKey(envelope: Buffer, { kind, sessionId }: RecordPlace): DecryptionError {
    const id = envelope.toString('hex', keyIdAt, nonceAt);
    return new DecryptionError(
      `The ${kind} of session ${sessionId} cannot be read: key id ${id} is not in the ring, which has ${this.#ring.keyIds.join(', ')}. Add the key to SESSION_ENCRYPTION_KEY behind the first one, or wait until the key file is reread.`,
    );
  }
}
