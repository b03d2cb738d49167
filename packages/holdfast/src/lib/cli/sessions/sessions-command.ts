import { type Command, Option } from 'commander';
import { sessionStatuses } from '../../model/session.ts';
import { wholeFrom, withCommonOptions } from '../arguments.ts';
import type { Terminal } from '../terminal.ts';
import { type DeleteOptions, deleteSessions, revokeUser } from './delete-command.ts';
import { type ListOptions, listSessions } from './list-command.ts';
import { type ExportOptions, eraseUser, exportUser } from './privacy-commands.ts';
import { type ShowOptions, showSession } from './show-command.ts';
import { type TailOptions, tailSession } from './tail-command.ts';

const maxListed = 1_000_000;

/** Adds `holdfast sessions …`. @param ends gets the exit code of what was run */
export function addSessionsCommand(
  program: Command,
  terminal: Terminal,
  ends: (code: number) => void,
): void {
  const sessions = program
    .command('sessions')
    .description('Look at sessions, end them, and serve requests for what is held of a user.');
  const command = (name: string, description: string, json: string) =>
    withCommonOptions(sessions.command(name).description(description), json);
  command(
    'list',
    'The sessions there are, in a stable order.',
    'one object, with all that each session has',
  )
    .option('--user <id>', 'only those of this user')
    .addOption(
      new Option('--status <status>', 'only those of this status').choices(sessionStatuses),
    )
    .option('--limit <number>', 'at most so many', wholeFrom(1, maxListed), 50)
    .action(async (options: ListOptions) => ends(await listSessions(options, terminal)));
  command('show', 'A session, and its newest messages.', 'one object')
    .argument('<id>', 'the session')
    .option('--messages <number>', 'how many of them', wholeFrom(0, maxListed), 20)
    .action(async (id: string, options: ShowOptions) =>
      ends(await showSession(id, options, terminal)),
    );
  command('tail', 'What turns on a session put out, as they do.', 'an object a line')
    .argument('<id>', 'the session')
    .option('--after <seq>', 'begin behind this event; 0 for all that are kept', wholeFrom(0, 1e12))
    .action(async (id: string, options: TailOptions) =>
      ends(await tailSession(id, options, terminal)),
    );
  const yes = ['--yes', 'do not ask whether it is meant'] as const;
  command(
    'delete',
    'End sessions at once, those in a turn too.',
    'how many, and which there were not',
  )
    .argument('<id...>', 'the sessions')
    .option(...yes)
    .action(async (ids: string[], options: DeleteOptions) =>
      ends(await deleteSessions(ids, options, terminal)),
    );
  command('revoke-user', 'End all sessions of a user at once.', 'how many')
    .argument('<user>', "the user's id")
    .option(...yes)
    .action(async (user: string, options: DeleteOptions) =>
      ends(await revokeUser(user, options, terminal)),
    );
  command(
    'export',
    'All that is held of a user: a JSON object a line for each session, with messages, stored outcomes, live output and what is known of the client.',
    'how many, where --out names a file',
  )
    .argument('<user>', "the user's id")
    .option('--out <file>', 'write into this new file, for its owner alone to read')
    .action(async (user: string, options: ExportOptions) =>
      ends(await exportUser(user, options, terminal)),
    );
  command(
    'erase',
    'Delete all that is held of a user, so that nothing is left in Redis. Export first, if it is asked for.',
    'how many',
  )
    .argument('<user>', "the user's id")
    .option(...yes)
    .action(async (user: string, options: DeleteOptions) =>
      ends(await eraseUser(user, options, terminal)),
    );
}
