import { Command, CommanderError } from 'commander';
import { HoldfastError } from '../errors/errors.ts';
import { cleanup } from './cleanup-command.ts';
import { type MigrateOptions, migratePythonV2 } from './migrate-command.ts';
import { rekey } from './rekey-command.ts';
import { exitCodes, type Terminal } from './terminal.ts';

/** Runs the command line `holdfast …`. @returns its exit code */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { out, err } = terminal;
  let code: number = exitCodes.done;
  const program = new Command('holdfast')
    .description(
      'Looks after the sessions of a Holdfast store. Settings come from the environment and .env.',
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => out.write(text),
      writeErr: (text) => err.write(text),
    })
    .showHelpAfterError();
  program
    .command('cleanup')
    .description(
      'Remove what has expired, and say how many sessions that were. Instances that run do so by themselves.',
    )
    .option('--env-file <path>', 'read settings from this file in place of .env')
    .option('--json', 'print {"removed": …}')
    .action(async (options: { readonly envFile?: string; readonly json?: boolean }) => {
      code = await cleanup(options, terminal);
    });
  program
    .command('rekey')
    .description(
      'Encrypt all that is stored with the first key of SESSION_ENCRYPTION_KEY, or decrypt it where SESSION_ENCRYPTION_ENABLED=false. Sessions stay in use; after an end half-way it goes on where it was.',
    )
    .option('--env-file <path>', 'read settings from this file in place of .env')
    .action(async (options: { readonly envFile?: string }) => {
      code = await rekey(options, terminal);
    });
  program
    .command('migrate')
    .description('Take over the sessions of another system.')
    .command('python-v2')
    .summary('Import the sessions of Python v2.0 from Redis.')
    .description(
      'Import the sessions of Python v2.0 from Redis, once that is drained. It may be repeated: what is unchanged is passed over, and what Holdfast has committed stays. Without --apply or --delete it only says what it would do. PYTHON_V2_ENCRYPTION_KEY is the key that Python had, if not one of SESSION_ENCRYPTION_KEY.',
    )
    .option('--apply', 'import')
    .option('--delete', 'delete originals that are imported and have not changed since')
    .option('--from-url <url>', 'their Redis, if another than REDIS_URL; without a password')
    .option('--from-prefix <prefix>', 'the beginning of their keys', 'agent:session:')
    .option('--old-key-file <path>', 'a file that holds the key, in place of the variable')
    .option('--env-file <path>', 'read settings from this file in place of .env')
    .option('--json', 'print one JSON object, with all ids')
    .action(async (options: MigrateOptions) => {
      code = await migratePythonV2(options, terminal);
    });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? exitCodes.done : exitCodes.wrongUse;
    }
    if (!(error instanceof HoldfastError)) throw error;
    err.write(`error: ${error.message}\n`);
    return exitCodes.failed;
  }
}
