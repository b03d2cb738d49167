import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';

/**
 * Reads the number of the process to end, a line each time it changes, an empty one for none. Its
 * input ends when this process does, however it dies. A dying server may still have made a file
 * while the folder went, hence the second `rm`.
 */
const SCRIPT = `
trap '' HUP INT TERM
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then kill -KILL "$pid"; fi
rm -rf "$1" || rm -rf "$1"
`;

/**
 * A temporary folder and at most one server process, both gone with this process at the latest: a
 * shell in a session of its own, which no signal from the terminal reaches, sees to it even after
 * a SIGKILL.
 */
export class Guardian {
  readonly folder: string;
  readonly #shell: ChildProcess;
  readonly #input: Writable;

  private constructor(folder: string, shell: ChildProcess, input: Writable) {
    this.folder = folder;
    this.#shell = shell;
    this.#input = input;
  }

  /** @throws an EEXIST error if there is such a folder, whoever made it */
  static async create(name: string): Promise<Guardian> {
    const folder = join(realpathSync(tmpdir()), name);
    mkdirSync(folder, { mode: 0o700 });
    const shell = spawn('/bin/sh', ['-c', SCRIPT, 'guardian', folder], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    shell.unref();
    // A guardian that somebody ended is no reason to end the tests.
    shell.stdin.on('error', () => {});
    await once(shell, 'spawn');
    return new Guardian(folder, shell, shell.stdin);
  }

  /** Resolves when the guardian is sure to learn it, whatever happens to this process then. */
  guard(pid: number | null): Promise<void> {
    return new Promise((resolve) => {
      this.#input.write(`${pid ?? ''}\n`, () => resolve());
    });
  }

  /** Removes the folder, and ends the guarded process if there is one. */
  async release(): Promise<void> {
    if (this.#shell.exitCode === null && this.#shell.signalCode === null) {
      this.#shell.ref();
      const ended = once(this.#shell, 'exit');
      this.#input.end();
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
