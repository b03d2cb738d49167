import { run } from './lib/cli/program.ts';
import { exitCodes } from './lib/cli/terminal.ts';

/** As shells tell of a process that SIGPIPE ended. */
const nobodyReads = 141;

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => stopping.abort());
}
/** Why nothing can be written any more. */
let unwritable: NodeJS.ErrnoException | undefined;
for (const stream of [process.stdout, process.stderr]) {
  // The command ends in order, as at a signal: whoever reads has enough (`| head`), or a disk is full.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    unwritable ??= error;
    stopping.abort();
    if (error.code === 'EPIPE' || stream === process.stderr) return;
    process.stderr.write(`error: The output could not be written (${error.code}).\n`);
  });
}
const code = await run(process.argv.slice(2), {
  env: process.env,
  in: process.stdin,
  out: process.stdout,
  err: process.stderr,
  signal: stopping.signal,
});
process.exitCode = code;
// A file tells of its errors only after the command is done with it.
process.once('exit', () => {
  if (unwritable === undefined) return;
  process.exitCode = unwritable.code === 'EPIPE' ? nobodyReads : exitCodes.failed;
});
