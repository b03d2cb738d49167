import type { Session, SessionStatus } from '../../model/session.ts';
import type { RedisSessionStore } from '../../redis/redis-session-store.ts';
import type { UnreadableSession } from '../../store/unreadable.ts';
import { onRedis } from '../redis-store.ts';
import { table } from '../table.ts';
import { type CommonOptions, exitCodes, type Terminal, widthOf } from '../terminal.ts';
import { count, duration } from '../text.ts';
import { reasons } from './reasons.ts';

export interface ListOptions extends CommonOptions {
  readonly user?: string;
  readonly status?: SessionStatus;
  readonly limit: number;
}

const pageSize = 200;

/**
 * `holdfast sessions list`. Those that cannot be read are told of, and the others are listed all the same.
 * @throws ConfigError, StoreUnavailableError, ValidationError
 */
export function listSessions(options: ListOptions, terminal: Terminal): Promise<number> {
  const { out, err } = terminal;
  return onRedis(options, terminal, async (store) => {
    const { sessions, unreadable, isAll } = await read(store, options, terminal.signal);
    if (options.json) {
      out.write(`${JSON.stringify({ sessions, unreadable, isAll })}\n`);
    } else {
      const rows = [...sessions.map(row), ...unreadable.map(({ id }) => unreadableRow(id))];
      out.write(rows.length > 0 ? table(head, rows, widthOf(terminal)) : 'No sessions.\n');
      if (!isAll) err.write(`The first ${count(sessions.length)}; --limit shows more.\n`);
      err.write(reasons(unreadable));
    }
    return unreadable.length === 0 ? exitCodes.done : exitCodes.failed;
  });
}

async function read(
  store: RedisSessionStore,
  { user, status, limit }: ListOptions,
  signal: AbortSignal,
): Promise<{ sessions: Session[]; unreadable: UnreadableSession[]; isAll: boolean }> {
  const sessions: Session[] = [];
  const unreadable: UnreadableSession[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await store.listActive({
      ...{ userId: user, status, cursor: cursor ?? undefined, signal },
      limit: Math.min(limit - sessions.length, pageSize),
    });
    sessions.push(...page.sessions);
    unreadable.push(...page.unreadable);
    cursor = page.cursor;
  } while (cursor !== null && sessions.length < limit);
  return { sessions, unreadable, isAll: cursor === null };
}

const head = ['SESSION', 'USER', 'STATUS', 'MESSAGES', 'IDLE', 'ENDS IN'];

function row({ id, userId, status, messageCount, lastActivity, expiresAt }: Session): string[] {
  const now = Date.now();
  return [
    id,
    userId ?? '-',
    status,
    count(messageCount),
    duration(Math.max(now - lastActivity, 0)),
    duration(Math.max(expiresAt - now, 0)),
  ];
}

function unreadableRow(id: string): string[] {
  return [id, '?', 'unreadable', '?', '?', '?'];
}
