import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerCommand } from './server-process.ts';

/**
 * libfaketime's own link comes before the C library, and the C library before the server's: a shared
 * jemalloc asks for the time while it starts, libfaketime allocates when it is first asked, and each
 * would wait for the other for ever. Relative to the server's folder, as neither a space nor a colon
 * can be in it.
 */
const PRELOAD = './libfaketime.so.1:libc.so.6';

/** What a server with the same number left in shared memory would keep this one from starting. */
const SCRIPT = `
rm -f "/dev/shm/faketime_shm_$$" "/dev/shm/sem.faketime_sem_$$"
export LD_PRELOAD=${PRELOAD}
exec "$@"
`;

/**
 * The clock of the servers in a folder, which stands still between two calls of `set`. Only the time
 * of day is faked: timers, waits and the limits of scripts run on real time.
 */
export class FakeTime {
  readonly #folder: string;
  readonly #file: string;

  /** @param library path of `libfaketime.so.1` */
  constructor(library: string, folder: string, ms: number) {
    this.#folder = folder;
    this.#file = join(folder, 'time');
    symlinkSync(library, join(folder, 'libfaketime.so.1'));
    this.set(ms);
  }

  /**
   * From the next command on, which may be one that is on its way already.
   *
   * @param ms since the epoch
   */
  set(ms: number): void {
    if (!Number.isSafeInteger(ms) || ms < 0) throw new RangeError(`${ms} is no whole millisecond.`);
    const seconds = Math.floor(ms / 1000);
    // Half a microsecond more: the fraction is read as a double, and cut off to microseconds.
    const fraction = `${String(ms % 1000).padStart(3, '0')}000500`;
    const next = join(this.#folder, 'next-time');
    writeFileSync(next, `${seconds}.${fraction}\n`);
    renameSync(next, this.#file);
  }

  /** The same server, on this clock. */
  on({ command, args, env, ready }: ServerCommand): ServerCommand {
    return {
      command: '/bin/sh',
      args: ['-c', SCRIPT, 'sh', command, ...args],
      env: {
        ...withLibfaketime(env),
        FAKETIME_TIMESTAMP_FILE: this.#file,
        FAKETIME_FMT: '%s',
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
        DONT_FAKE_MONOTONIC: '1',
        NO_FAKE_STAT: '1',
      },
      ready,
    };
  }

  /** A server that runs, or has ended, needs these names no more; a killed one would leave them. */
  static cleanUpAfter(pid: number): void {
    for (const name of [`faketime_shm_${pid}`, `sem.faketime_sem_${pid}`]) {
      rmSync(join('/dev/shm', name), { force: true });
    }
  }
}

/** These surroundings in UTC, and without what may be there for another libfaketime. */
export function withLibfaketime(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const others = Object.entries(env).filter(([name]) => !/^(FAKETIME|LD_PRELOAD$)/.test(name));
  return { ...Object.fromEntries(others), TZ: 'UTC' };
}
