import type { Session, SessionStatus } from '../../model/session.ts';
import type { RedisSessionStore } from '../../redis/redis-session-store.ts';
import { onRedis } from '../redis-store.ts';
import { table } from '../table.ts';
import { type CommonOptions, exitCodes, type Terminal, widthOf } from '../terminal.ts';
import { count, duration } from '../text.ts';

export interface ListOptions extends CommonOptions {
  readonly user?: string;
  readonly status?: SessionStatus;
  readonly limit: number;
}

const pageSize = 200;

/** `holdfast sessions list`. @throws ConfigError, StoreUnavailableError, ValidationError */
export function listSessions(options: ListOptions, terminal: Terminal): Promise<number> {
  const { out, err } = terminal;
  return onRedis(options, terminal, async (store) => {
    const { sessions, isAll } = await read(store, options, terminal.signal);
    if (options.json) {
      out.write(`${JSON.stringify({ sessions, isAll })}\n`);
      return exitCodes.done;
    }
    if (sessions.length > 0) out.write(table(head, sessions.map(row), widthOf(terminal)));
    else out.write('No sessions.\n');
    if (!isAll) err.write(`The first ${count(sessions.length)}; --limit shows more.\n`);
    return exitCodes.done;
  });
}

async function read(
  store: RedisSessionStore,
  { user, status, limit }: ListOptions,
  signal: AbortSignal,
): Promise<{ sessions: Session[]; isAll: boolean }> {
  const sessions: Session[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await store.listActive({
      ...{ userId: user, status, cursor: cursor ?? undefined, signal },
      limit: Math.min(limit - sessions.length, pageSize),
    });
    sessions.push(...page.sessions);
    cursor = page.cursor;
  } while (cursor !== null && sessions.length < limit);
  return { sessions, isAll: cursor === null };
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
