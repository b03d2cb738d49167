import { DecryptionError, HoldfastError } from '../errors/errors.ts';
import { type JsonValue, toJson } from '../json/json-value.ts';
import type { Codec, RecordPlace } from './codec.ts';

/** What was encoded for this place, plain and frozen. @throws DecryptionError */
export function decodeRecord(codec: Codec, stored: Buffer, place: RecordPlace): JsonValue {
  try {
    return toJson(codec.decode(stored, place), place.kind);
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'DECRYPTION') throw error;
    throw new DecryptionError(
      `The stored ${place.kind} of session ${place.sessionId} cannot be read.`,
      // What is no JSON is quoted in the message of its error.
      error instanceof SyntaxError ? { isDamaged: true } : { cause: error, isDamaged: true },
    );
  }
}
