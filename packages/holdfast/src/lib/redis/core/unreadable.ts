import { DecryptionError, StoreUnavailableError } from '../../errors/errors.ts';
import { damagedRecordRemedy, type ErrorCode } from '../../errors/registry.ts';
import { sentenceOf } from '../../errors/sentence-of.ts';
import { RedisReplyError } from '../connection/redis-connection.ts';

/** A session that is there and cannot be read, because of what is stored of it: others may well be. */
export interface Unreadable {
  readonly id: string;
  readonly code: ErrorCode;
  /** Whether no key and no setting would make it readable; otherwise one is missing, or that cannot be told. */
  readonly isDamaged: boolean;
  /** One sentence. */
  readonly reason: string;
  readonly remedy: string;
}

/** What something else than Holdfast has written, as the server's reply tells of it. */
function damageIn({ code, message }: RedisReplyError): string | undefined {
  const [, key, found, expected] = /WRONGTYPE (\S+) is a (\w+) and not a (\w+)/.exec(message) ?? [];
  if (key !== undefined) return `Its key ${key} is a ${found} and not a ${expected}.`;
  if (code === 'WRONGTYPE') {
    return 'A key of the session holds something of another type than Holdfast stores there.';
  }
  // A script failed at a line of its own; any other ERR is the server's affair.
  return code === 'ERR' && /user_script:\d+:/.test(message)
    ? 'What is stored of the session is nothing that Holdfast has written.'
    : undefined;
}

/** Why the session cannot be read; `null` where the failure is none of its own, as of a server that is down. */
export function whyUnreadable(id: string, error: unknown): Unreadable | null {
  if (error instanceof DecryptionError) {
    const { code, isDamaged, remedy } = error;
    return { id, code, isDamaged, reason: sentenceOf(error), remedy };
  }
  if (!(error instanceof StoreUnavailableError)) return null;
  const { code, cause } = error;
  const reason = cause instanceof RedisReplyError ? damageIn(cause) : undefined;
  if (reason === undefined) return null;
  return { id, code, isDamaged: true, reason, remedy: damagedRecordRemedy };
}
