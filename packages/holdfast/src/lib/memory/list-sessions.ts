import { ValidationError } from '../errors/errors.ts';
import { assertId } from '../model/ids.ts';
import { maxPageSize } from '../model/limits.ts';
import type { Session, SessionStatus } from '../model/session.ts';
import { parseStatus } from '../model/state.ts';
import type { ListOptions, SessionPage } from '../store/session-store.ts';
import { type UnreadableSession, whyNotRead } from '../store/unreadable.ts';
import type { MemoryCore } from './memory-core.ts';
import type { PagedIndex } from './paged-index.ts';
import type { SessionRecord } from './session-record.ts';
import type { SessionTable } from './session-table.ts';

/** Index entries read for one page at most. */
const listReads = 1_000;

/** A page of the sessions that exist now. @throws ValidationError */
export function listSessions<Metadata extends object>(
  core: MemoryCore<Metadata>,
  options: ListOptions,
): SessionPage<Metadata> {
  const limit = pageSize(options.limit);
  const status = options.status === undefined ? undefined : parseStatus(options.status);
  const after = parseCursor(options.cursor);
  if (options.userId !== undefined) assertId(options.userId, 'userId');
  const now = core.now();
  const sessions: Session<Metadata>[] = [];
  const unreadable: UnreadableSession[] = [];
  const take = (record: SessionRecord<Metadata>): boolean => {
    if (record.expiresAt <= now) return false;
    try {
      if (status !== undefined && record.indexedStatus !== status) return false;
      sessions.push(record.view(core.options.readMetadata));
      return true;
    } catch (error) {
      const why = whyNotRead(record.id, error);
      if (why === null) throw error;
      unreadable.push(why);
      return false;
    }
  };
  const index = indexFor(core.table, options.userId, status);
  const cursor = index?.page(after, limit, listReads, take).cursor ?? null;
  return { sessions, unreadable, cursor: cursor === null ? null : cursor.toString(36) };
}

function indexFor<Metadata extends object>(
  table: SessionTable<Metadata>,
  userId: string | undefined,
  status: SessionStatus | undefined,
): PagedIndex<SessionRecord<Metadata>> | undefined {
  if (userId !== undefined) return table.ofUser(userId);
  return status === undefined || status === 'active' ? table.all : table.ofStatus(status);
}

function pageSize(limit = 50): number {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= maxPageSize) return limit;
  throw new ValidationError(`limit must be a whole number from 1 to ${maxPageSize}, not ${limit}.`);
}

function parseCursor(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  const ordinal = /^[0-9a-z]{1,11}$/.test(cursor) ? Number.parseInt(cursor, 36) : Number.NaN;
  if (Number.isSafeInteger(ordinal)) return ordinal;
  throw new ValidationError('cursor must be the cursor of the page before.');
}
