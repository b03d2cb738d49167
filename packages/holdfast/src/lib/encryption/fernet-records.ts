import { createHash, randomBytes } from 'node:crypto';
import type { RecordPlace } from '../codec/codec.ts';
import { DecryptionError } from '../errors/errors.ts';
import {
  type FernetKey,
  type FernetToken,
  fernetKey,
  isAuthentic,
  ivBytes,
  openToken,
  readToken,
  sealToken,
} from './fernet-token.ts';
import type { KeyRing } from './key-ring.ts';
import { recordText, sessionText } from './place.ts';
import { Subkeys } from './subkeys.ts';

const digestBytes = 32;

/**
 * Records as Fernet tokens, without their base64, whose plaintext is a digest of the place and the text: the token itself
 * binds nothing. Nor does it name a key, so that each key of the ring is tried. Its time is not looked
 * at: how long a record is good is the store's to say, and a clock that was wrong must lose nothing.
 */
export class FernetRecords {
  readonly #ring: KeyRing;
  readonly #namespace: string;
  readonly #subkeys: Subkeys<FernetKey>;

  constructor(ring: KeyRing, namespace: string, subkeyCacheSize: number) {
    this.#ring = ring;
    this.#namespace = namespace;
    this.#subkeys = new Subkeys('fernet', namespace, subkeyCacheSize, fernetKey);
  }

  seal(text: string, place: RecordPlace): Buffer {
    const key = this.#subkeys.of(this.#ring.primary, place);
    const bytes = Buffer.concat([this.#digestOf(place), Buffer.from(text)]);
    return sealToken(key, bytes, Math.floor(Date.now() / 1000), randomBytes(ivBytes));
  }

  open(stored: Buffer, place: RecordPlace): Buffer {
    const token = this.#token(stored, place);
    for (const ringKey of this.#ring.keys) {
      const key = this.#subkeys.of(ringKey, place);
      if (!isAuthentic(key, token)) continue;
      const bytes = openToken(key, token);
      if (this.#digestOf(place).equals(bytes.subarray(0, digestBytes))) {
        return bytes.subarray(digestBytes);
      }
      throw new DecryptionError(
        `The ${place.kind} of session ${place.sessionId} is a record from elsewhere in that session.`,
        { isDamaged: true },
      );
    }
    throw new DecryptionError(
      `The ${place.kind} of session ${place.sessionId} failed authentication under every key of the ring (${this.#ring.keyIds.join(', ')}): it was changed, belongs elsewhere, or its key is missing.`,
    );
  }

  /** Whether the first key of the ring made it. */
  isOfPrimary(stored: Buffer, place: RecordPlace): boolean {
    return isAuthentic(this.#subkeys.of(this.#ring.primary, place), this.#token(stored, place));
  }

  #token(stored: Buffer, { kind, sessionId }: RecordPlace): FernetToken {
    try {
      return readToken(stored);
    } catch (cause) {
      throw new DecryptionError(`The ${kind} of session ${sessionId} is cut off.`, {
        cause,
        isDamaged: true,
      });
    }
  }

  #digestOf(place: RecordPlace): Buffer {
    const text = sessionText(null, this.#namespace, place) + recordText(place);
    return createHash('sha256').update(text).digest();
  }
}
