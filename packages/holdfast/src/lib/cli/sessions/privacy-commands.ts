import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { ConfigError } from '../../errors/errors.ts';
import type { RedisSessionStore } from '../../redis/redis-session-store.ts';
import { isMeant } from '../confirm.ts';
import { onRedis } from '../redis-store.ts';
import { type CommonOptions, exitCodes, type Terminal } from '../terminal.ts';
import { counted } from '../text.ts';
import type { DeleteOptions } from './delete-command.ts';

export interface ExportOptions extends CommonOptions {
  /** A new file; the standard output unless given. */
  readonly out?: string;
}

/**
 * `holdfast sessions export`: all that is held of a user, a session a line, as JSON.
 * @throws ConfigError, StoreUnavailableError, DecryptionError
 */
export function exportUser(
  userId: string,
  { out: path, ...options }: ExportOptions,
  terminal: Terminal,
): Promise<number> {
  const { out, err, signal } = terminal;
  return onRedis(options, terminal, async (store) => {
    const file = path === undefined ? null : await newFile(path);
    let sessions = 0;
    for await (const id of idsOf(store, userId, signal)) {
      const holdings = await store.upkeep.holdings(id);
      if (holdings === null) continue;
      sessions += 1;
      await write(file ?? out, `${JSON.stringify(holdings)}\n`);
    }
    if (file !== null) {
      file.end();
      await once(file, 'close');
      const done = options.json
        ? JSON.stringify({ sessions })
        : `${counted(sessions, 'session')} written.`;
      out.write(`${done}\n`);
    } else if (!options.json) err.write(`${counted(sessions, 'session')} written.\n`);
    return exitCodes.done;
  });
}

/**
 * `holdfast sessions erase`: afterwards nothing of the user's sessions is left in Redis.
 * @throws WrongUseError, ConfigError, StoreUnavailableError
 */
export async function eraseUser(
  userId: string,
  options: DeleteOptions,
  terminal: Terminal,
): Promise<number> {
  const { out, err } = terminal;
  if (!(await isMeant(`Erase all that is held of ${userId}?`, options, terminal))) {
    err.write('Nothing was erased.\n');
    return exitCodes.interrupted;
  }
  return onRedis(options, terminal, async (store) => {
    const erased = await store.upkeep.eraseUser(userId);
    out.write(
      options.json
        ? `${JSON.stringify({ erased })}\n`
        : `${counted(erased, 'session')} erased. Redis's files and their backups keep theirs\nuntil they are written anew.\n`,
    );
    return exitCodes.done;
  });
}

async function* idsOf(
  store: RedisSessionStore,
  userId: string,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let cursor: string | null | undefined;
  do {
    const page = await store.listActive({
      userId,
      cursor: cursor ?? undefined,
      limit: 200,
      signal,
    });
    for (const { id } of page.sessions) yield id;
    cursor = page.cursor;
  } while (cursor !== null);
}

/** For its owner alone, and never over what is there. */
async function newFile(path: string): Promise<Writable> {
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  try {
    await once(file, 'open');
    return file;
  } catch (cause) {
    throw new ConfigError('--out must name a file that is not there yet, in a folder that is.', {
      cause,
    });
  }
}

async function write(stream: Writable, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, 'drain');
}
