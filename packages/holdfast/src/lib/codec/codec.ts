import { DecryptionError } from '../errors/errors.ts';
import type { JsonValue } from '../json/json-value.ts';
import { envelopeVersion, tokenVersion } from './encrypted-forms.ts';

export type RecordKind = 'state' | 'credentials' | 'messages' | 'outcome' | 'effects' | 'output';

/** Where a record belongs: a codec may bind it there, so that it is worth nothing elsewhere. */
export interface RecordPlace {
  readonly sessionId: string;
  readonly incarnation: string;
  readonly kind: RecordKind;
  /** Version of the state or credentials, seq of the first message, key of the outcome or effects, turn. */
  readonly position: number | string;
}

/** How values are stored. It sees values only: every atomic operation works on clear fields. */
export interface Codec {
  readonly name: string;
  /**
   * Whether only a holder of its key can make what it decodes. Then a session's state repeats the
   * clear fields that say how long it may live, and each read compares.
   */
  readonly authenticates: boolean;
  /** Names of the keys that it can read with, the writing one first; empty where there is none. */
  readonly keyIds: readonly string[];
  /**
   * Calls back when keys were taken away, for those who keep what was decoded; not any more after the returned function
   * was called.
   */
  onKeysRemoved?(callback: () => void): () => void;
  encode(value: JsonValue, place: RecordPlace): Buffer | string;
  /** @throws when the bytes are not what `encode` made for this place. */
  decode(bytes: Buffer, place: RecordPlace): JsonValue;
  /** Whether `encode` would make it with another key, cipher or form today. */
  isStale(bytes: Buffer, place: RecordPlace): boolean;
  /** A user's name in indexes, and all names that it may have there from other times. */
  userNames(userId: string): readonly [string, ...string[]];
  /**
   * A request's digest as it is stored beside the outcome of this place, and all that it may be stored
   * as from other times. Under a key it is "key id.hash", and without one as it came.
   */
  digests(
    digest: string,
    place: Pick<RecordPlace, 'sessionId' | 'position'>,
  ): readonly [string, ...string[]];
}

/** Plain JSON. */
export const jsonCodec: Codec = {
  name: 'json',
  authenticates: false,
  keyIds: [],
  encode: (value) => JSON.stringify(value),
  decode: (bytes, { kind, sessionId }) => {
    if (bytes[0] === envelopeVersion || bytes[0] === tokenVersion) {
      throw new DecryptionError(
        `The ${kind} of session ${sessionId} is encrypted, and there is no key here: set SESSION_ENCRYPTION_KEY to the one that wrote it.`,
      );
    }
    return JSON.parse(bytes.toString()) as JsonValue;
  },
  isStale: () => false,
  userNames: (userId) => [userId],
  digests: (digest) => [digest],
};
