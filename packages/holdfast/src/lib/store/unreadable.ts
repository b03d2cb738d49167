import { DecryptionError, ValidationError } from '../errors/errors.ts';
import type { ErrorCode } from '../errors/registry.ts';
import { sentenceOf } from '../errors/sentence-of.ts';

/** A session that is there and cannot be read, because of what is stored of it: others may well be. */
export interface UnreadableSession {
  readonly id: string;
  readonly code: ErrorCode;
  /** Whether no key and no setting would make it readable; otherwise one is missing, or that cannot be told. */
  readonly isDamaged: boolean;
  /** One sentence. */
  readonly reason: string;
  readonly remedy: string;
}

/**
 * Why the session cannot be read: it does not decrypt, or its metadata does not fit the schema. `null` where the
 * failure is another one.
 */
export function whyNotRead(id: string, error: unknown): UnreadableSession | null {
  if (!(error instanceof DecryptionError || error instanceof ValidationError)) return null;
  const isDamaged = error instanceof DecryptionError && error.isDamaged;
  const { code, remedy } = error;
  return { id, code, isDamaged, reason: sentenceOf(error), remedy };
}
