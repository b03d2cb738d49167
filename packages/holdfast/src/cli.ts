#!/usr/bin/env node
import { run } from './lib/cli/program.ts';

/** As shells tell of a process that SIGPIPE ended. */
const nobodyReads = 141;

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => stopping.abort());
}
let isRead = true;
for (const stream of [process.stdout, process.stderr]) {
  // Whoever reads has enough (`| head`): the command ends in order, as at a signal.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    isRead = false;
    stopping.abort();
  });
}
const code = await run(process.argv.slice(2), {
  env: process.env,
  in: process.stdin,
  out: process.stdout,
  err: process.stderr,
  signal: stopping.signal,
});
process.exitCode = isRead ? code : nobodyReads;
