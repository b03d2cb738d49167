import { assertId } from '../../model/ids.ts';
import { isMeant } from '../confirm.ts';
import { onRedis } from '../redis-store.ts';
import { type CommonOptions, exitCodes, said, type Terminal } from '../terminal.ts';
import { counted } from '../text.ts';

export interface DeleteOptions extends CommonOptions {
  readonly yes?: boolean;
}

/** `holdfast sessions delete`. @throws WrongUseError, ValidationError, ConfigError, StoreUnavailableError */
export async function deleteSessions(
  ids: readonly string[],
  options: DeleteOptions,
  terminal: Terminal,
): Promise<number> {
  const { out, err, signal } = terminal;
  for (const id of ids) assertId(id, 'A session id');
  if (!(await isMeant(`End ${counted(ids.length, 'session')} at once?`, options, terminal))) {
    err.write('Nothing was deleted.\n');
    return exitCodes.interrupted;
  }
  return onRedis(options, terminal, async (store) => {
    const missing: string[] = [];
    let deleted = 0;
    for (const id of ids) {
      try {
        if (await store.delete(id)) deleted += 1;
        else missing.push(id);
      } catch (error) {
        // What was deleted before is told of.
        if (!signal.aborted) throw error;
        err.write(said(`Stopped at ${id}, which may be deleted or not.`));
        break;
      }
    }
    if (options.json) out.write(`${JSON.stringify({ deleted, missing })}\n`);
    else out.write(`${counted(deleted, 'session')} deleted.\n`);
    if (signal.aborted) return exitCodes.interrupted;
    if (missing.length === 0) return exitCodes.done;
    if (!options.json) err.write(`There is no session ${missing.join(' ')}.\n`);
    return exitCodes.failed;
  });
}

/** `holdfast sessions revoke-user`. @throws WrongUseError, ValidationError, ConfigError, StoreUnavailableError */
export async function revokeUser(
  userId: string,
  options: DeleteOptions,
  terminal: Terminal,
): Promise<number> {
  const { out, err, signal } = terminal;
  assertId(userId, 'A user id');
  if (!(await isMeant(`End all sessions of ${userId} at once?`, options, terminal))) {
    err.write('Nothing was deleted.\n');
    return exitCodes.interrupted;
  }
  return onRedis(options, terminal, async (store) => {
    const deleted = await store.deleteUser(userId, { signal });
    out.write(
      options.json
        ? `${JSON.stringify({ deleted })}\n`
        : `${counted(deleted, 'session')} deleted.\n`,
    );
    return exitCodes.done;
  });
}
