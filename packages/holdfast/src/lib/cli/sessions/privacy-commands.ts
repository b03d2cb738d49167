import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { assertId } from '../../model/ids.ts';
import { whyUnreadable } from '../../redis/core/unreadable.ts';
import type { RedisSessionStore } from '../../redis/redis-session-store.ts';
import type { UnreadableSession } from '../../store/unreadable.ts';
import { isMeant } from '../confirm.ts';
import { onRedis } from '../redis-store.ts';
import { CommandError, type CommonOptions, exitCodes, said, type Terminal } from '../terminal.ts';
import { counted } from '../text.ts';
import type { DeleteOptions } from './delete-command.ts';
import { reasons } from './reasons.ts';

export interface ExportOptions extends CommonOptions {
  /** A new file; the standard output unless given. */
  readonly out?: string;
}

/** An index is a claim that the session itself confirms (`UserIndex`). */
const unknownOwner =
  "They are named because the user's index has them. Whose they are is not known until they can be read: one may be another user's by now.";

/** What was found of a user. */
interface Found {
  sessions: number;
  /** Sessions in the user's index that cannot be read: the user's or, where the index lags, another's. None is written. */
  readonly unreadable: UnreadableSession[];
}

/** Sessions that are looked at for whether the keys are those of the store. */
const sampleSize = 100;

/**
 * `holdfast sessions export`: all that is held of a user, a session a line, as JSON.
 * @throws ValidationError, ConfigError, CommandError, StoreUnavailableError
 */
export async function exportUser(
  userId: string,
  { out: path, ...options }: ExportOptions,
  terminal: Terminal,
): Promise<number> {
  const { out, err, signal } = terminal;
  assertId(userId, 'A user id');
  return onRedis(options, terminal, async (store) => {
    const found: Found = { sessions: 0, unreadable: [] };
    const lines = linesOf(store, userId, found, signal);
    if (path === undefined) await pipeline(lines, out, { end: false });
    else await intoFile(path, lines);
    const { sessions, unreadable } = found;
    const done = options.json
      ? JSON.stringify({ sessions, unreadable })
      : `${counted(sessions, 'session')} written.`;
    if (path !== undefined) out.write(`${done}\n`);
    else if (!options.json) err.write(`${done}\n`);
    err.write(reasons(unreadable, unknownOwner));
    return (await isWhole(store, terminal)) && unreadable.length === 0
      ? exitCodes.done
      : exitCodes.failed;
  });
}

/**
 * `holdfast sessions erase`: afterwards nothing of the user's sessions is left in Redis.
 * @throws WrongUseError, ValidationError, ConfigError, StoreUnavailableError, SessionBusyError
 */
export async function eraseUser(
  userId: string,
  options: DeleteOptions,
  terminal: Terminal,
): Promise<number> {
  const { out, err, signal } = terminal;
  assertId(userId, 'A user id');
  if (!(await isMeant(`Erase all that is held of ${userId}?`, options, terminal))) {
    err.write('Nothing was erased.\n');
    return exitCodes.interrupted;
  }
  return onRedis(
    options,
    terminal,
    async (store) => {
      const erased = await store.upkeep.eraseUser(userId, signal);
      out.write(
        options.json
          ? `${JSON.stringify({ erased })}\n`
          : `${counted(erased, 'session')} erased. Redis's files and their backups keep theirs\nuntil they are written anew.\n`,
      );
      return (await isWhole(store, terminal)) ? exitCodes.done : exitCodes.failed;
    },
    'Stopped. Run it again: something of the user may be left.',
  );
}

async function* linesOf(
  store: RedisSessionStore,
  userId: string,
  found: Found,
  signal: AbortSignal,
): AsyncGenerator<string> {
  for (const { id } of await store.upkeep.entriesOf(userId)) {
    signal.throwIfAborted();
    try {
      const holdings = await store.upkeep.holdings(id);
      if (holdings?.session.userId !== userId) continue;
      found.sessions += 1;
      yield `${JSON.stringify(holdings)}\n`;
    } catch (error) {
      const why = whyUnreadable(id, error);
      if (why === null) throw error;
      found.unreadable.push(why);
    }
  }
}

/** For its owner alone, and never over what is there. What fails leaves no part of it. @throws CommandError */
async function intoFile(path: string, lines: AsyncGenerator<string>): Promise<void> {
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  try {
    await once(file, 'open');
  } catch (error) {
    throw outError(error);
  }
  try {
    await pipeline(Readable.from(lines), file);
  } catch (error) {
    await unlink(path);
    throw outError(error);
  }
}

const outErrors: Readonly<Record<string, string>> = {
  EEXIST: 'is there already, and nothing is written over it: name a new file',
  ENOENT: 'is in a folder that is not there: make that first',
  EACCES: 'is in a folder that this user may not write to: name a file elsewhere',
  ENOSPC: 'is on a file system that is full: name a file elsewhere',
  EDQUOT: "is on a file system where this user's quota is full: name a file elsewhere",
  EFBIG: 'would be larger than files may be there: name a file elsewhere',
};

function outError(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const why = outErrors[code];
  if (why === undefined) return error;
  return new CommandError(`The file of --out ${why}. Nothing was written.`, { cause: error });
}

/** Of users whose names in the index were made with another key nothing is found: then this says so. */
async function isWhole(store: RedisSessionStore, { err }: Terminal): Promise<boolean> {
  const { sessions, unreadable } = await store.upkeep.tryKeys(sampleSize);
  if (unreadable.length === 0) return true;
  const what = `error: Of ${sessions} sessions that were tried ${unreadable.length} cannot be read: the user may have others among those. \`holdfast sessions list\` says why.`;
  const remedy = unreadable.every(({ isDamaged }) => isDamaged)
    ? 'They are damaged, so that no key opens them: bring them back from a backup and run it again, or delete them.'
    : 'Put the key that is missing into SESSION_ENCRYPTION_KEY, and run it again.';
  err.write(said(`${what} ${remedy}`));
  return false;
}
