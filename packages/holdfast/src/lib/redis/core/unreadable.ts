import { StoreUnavailableError } from '../../errors/errors.ts';
import { damagedRecordRemedy } from '../../errors/registry.ts';
import { type UnreadableSession, whyNotRead } from '../../store/unreadable.ts';
import { RedisReplyError } from '../connection/redis-connection.ts';

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
export function whyUnreadable(id: string, error: unknown): UnreadableSession | null {
  if (!(error instanceof StoreUnavailableError)) return whyNotRead(id, error);
  const { code, cause } = error;
  const reason = cause instanceof RedisReplyError ? damageIn(cause) : undefined;
  if (reason === undefined) return null;
  return { id, code, isDamaged: true, reason, remedy: damagedRecordRemedy };
}
