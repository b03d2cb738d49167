import { SessionNotFoundError } from '../../errors/errors.ts';
import type { Message } from '../../model/message.ts';
import type { Session } from '../../model/session.ts';
import { onRedis } from '../redis-store.ts';
import { type CommonOptions, exitCodes, type Terminal } from '../terminal.ts';
import { printable } from '../text.ts';

export interface ShowOptions extends CommonOptions {
  /** The newest so many. */
  readonly messages: number;
}

/** `holdfast sessions show`. @throws SessionNotFoundError, ConfigError, StoreUnavailableError, DecryptionError */
export function showSession(id: string, options: ShowOptions, terminal: Terminal): Promise<number> {
  const { out, signal } = terminal;
  return onRedis(options, terminal, async (store) => {
    const session = await store.get(id, { signal });
    if (session === null) throw new SessionNotFoundError(`There is no session ${id}.`);
    const { messages: limit } = options;
    const messages = limit === 0 ? [] : await store.messages(id, { limit, signal });
    out.write(
      options.json
        ? `${JSON.stringify({ session, messages })}\n`
        : [...described(session), ...messages.flatMap(spoken)].map((line) => `${line}\n`).join(''),
    );
    return exitCodes.done;
  });
}

function described(session: Session): string[] {
  const time = (ms: number) => new Date(ms).toISOString();
  const { id, userId, threadId, status, escalated, counters, metadata, version } = session;
  return [
    `session    ${id}`,
    `user       ${userId ?? '-'}`,
    `thread     ${printable(threadId)}`,
    `status     ${status}${escalated ? ', escalated' : ''}`,
    `created    ${time(session.createdAt)}`,
    `active     ${time(session.lastActivity)}`,
    `ends       ${time(session.expiresAt)}`,
    `version    ${version}`,
    `counters   ${printable(JSON.stringify(counters))}`,
    `metadata   ${printable(JSON.stringify(metadata))}`,
  ];
}

function spoken({ seq, role, content, createdAt }: Message): string[] {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  return ['', `#${seq} ${role}, ${new Date(createdAt).toISOString()}`, printable(text)];
}
