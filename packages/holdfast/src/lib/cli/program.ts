import { createRequire } from 'node:module';
import { Command, CommanderError, Option } from 'commander';
import { HoldfastError } from '../errors/errors.ts';
import { wholeFrom, withCommonOptions } from './arguments.ts';
import { type BenchOptions, bench } from './bench-command.ts';
import { cleanup } from './cleanup-command.ts';
import { doctor } from './doctor-command.ts';
import { type KeygenOptions, keygen } from './keygen-command.ts';
import { type MigrateOptions, migratePythonV2 } from './migrate-command.ts';
import { rekey } from './rekey-command.ts';
import { addSessionsCommand } from './sessions/sessions-command.ts';
import { type StatsOptions, stats } from './stats-command.ts';
import {
  CommandError,
  type CommonOptions,
  columnsOf,
  exitCodes,
  said,
  type Terminal,
  WrongUseError,
} from './terminal.ts';
import { printable } from './text.ts';

const examples = `
Examples:
  holdfast doctor                          is all as it should be?
  holdfast stats --watch                   what is going on now?
  holdfast sessions list --user ada        which sessions has a user?
  holdfast sessions tail <id>              what do turns put out?
  holdfast sessions export ada --out file  all that is held of a user
  holdfast <command> --help                what else a command takes`;

/** Runs the command line `holdfast …`. @returns its exit code */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { out, err } = terminal;
  let code: number = exitCodes.done;
  const ends = (ended: number) => {
    code = ended;
  };
  try {
    await programOf(terminal, ends).parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? exitCodes.done : exitCodes.wrongUse;
    }
    if (!known.some((kind) => error instanceof kind)) throw error;
    err.write(said(`error: ${messageOf(error as Error)}`));
    return error instanceof WrongUseError ? exitCodes.wrongUse : exitCodes.failed;
  } finally {
    await flushed(out);
  }
}

/** Errors whose messages say what to do. */
const known = [HoldfastError, CommandError, WrongUseError];

/** With the words of the cause, where it is said to have them. */
function messageOf(error: Error): string {
  if (!error.message.includes('The cause of this error')) return error.message;
  let cause: unknown = error;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  return cause instanceof Error
    ? `${error.message} Cause: ${printable(cause.message)}`
    : error.message;
}

function programOf(terminal: Terminal, ends: (code: number) => void): Command {
  const { out, err } = terminal;
  const program = new Command('holdfast')
    .description(
      'Looks after the sessions of a Holdfast store. Settings come from the environment and .env.',
    )
    .version(versionOf(), '-V, --version', 'print the version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => out.write(text),
      writeErr: (text) => err.write(text.trimEnd().split('\n').map(said).join('')),
      getOutHelpWidth: () => columnsOf(terminal),
      getErrHelpWidth: () => columnsOf(terminal),
    })
    .showHelpAfterError('(--help says what there is.)')
    .addHelpText('after', examples);
  program
    .command('keygen')
    .description('Make a random key for SESSION_ENCRYPTION_KEY.')
    .option('--fernet', 'in the form of Fernet keys, for other programs to share it')
    .option('--json', 'print {"key": …, "keyId": …}')
    .action(async (options: KeygenOptions) => ends(await keygen(options, terminal)));
  const command = (name: string, description: string, json: string) =>
    withCommonOptions(program.command(name).description(description), json);
  command(
    'doctor',
    'Check the settings, Redis and what it holds: what is wrong, and what to do. Exits with 1 when a server could not work.',
    'one object, with all that was found',
  ).action(async (options: CommonOptions) => ends(await doctor(options, terminal)));
  command(
    'stats',
    'How many sessions, turns and waiting turns there are.',
    'one object, with --watch one a line for each look',
  )
    .option('--watch', 'look again and again')
    .addOption(
      new Option('--interval <seconds>', 'look so often; with it --watch need not be said')
        .argParser(wholeFrom(1, 3_600))
        .default(1)
        .implies({ watch: true }),
    )
    .action(async (options: StatsOptions) => ends(await stats(options, terminal)));
  addSessionsCommand(program, terminal, ends);
  command(
    'cleanup',
    'Remove what has expired, and say how many sessions that were. Instances that run do so by themselves.',
    '{"removed": …}',
  ).action(async (options: CommonOptions) => ends(await cleanup(options, terminal)));
  command(
    'rekey',
    'Encrypt all that is stored with the first key of SESSION_ENCRYPTION_KEY, or decrypt it where SESSION_ENCRYPTION_ENABLED=false. Sessions stay in use; after an end half-way it goes on where it was.',
    'one object at the end',
  ).action(async (options: CommonOptions) => ends(await rekey(options, terminal)));
  const migrate = program
    .command('migrate')
    .description('Take over the sessions of another system.');
  withCommonOptions(
    migrate
      .command('python-v2')
      .summary('Import the sessions of Python v2.0 from Redis.')
      .description(
        'Import the sessions of Python v2.0 from Redis, once that is drained. It may be repeated: what is unchanged is passed over, and what Holdfast has committed stays. Without --apply or --delete it only says what it would do. PYTHON_V2_ENCRYPTION_KEY is the key that Python had, if not one of SESSION_ENCRYPTION_KEY.',
      ),
    'one object, with all ids',
  )
    .option('--apply', 'import')
    .option('--delete', 'delete originals that are imported and have not changed since')
    .option('--from-url <url>', 'their Redis, if another than REDIS_URL; without a password')
    .option('--from-prefix <prefix>', 'the beginning of their keys', 'agent:session:')
    .option('--old-key-file <path>', 'a file that holds the key, in place of the variable')
    .action(async (options: MigrateOptions) => ends(await migratePythonV2(options, terminal)));
  command(
    'bench',
    'Measure what turns take on this Redis from here, in a namespace of its own that is removed at the end.',
    'one object at the end',
  )
    .option('--seconds <number>', 'for all of it', wholeFrom(1, 3_600), 120)
    .action(async (options: BenchOptions) => ends(await bench(options, terminal)));
  return program;
}

/** What was written is out: the process may end. */
async function flushed(out: Terminal['out']): Promise<void> {
  if (out.writableLength === 0 || out.destroyed) return;
  await new Promise<void>((resolve) => {
    out.write('', () => resolve());
  });
}

function versionOf(): string {
  const { version } = createRequire(import.meta.url)('holdfast/package.json') as {
    version: string;
  };
  return version;
}
