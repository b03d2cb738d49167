import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/** Far above what any machine needs; it only turns a hang into a message. */
const DEADLINE_MS = 100_000;

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ProcessOptions {
  readonly cwd: string;
  readonly env?: Record<string, string>;
  /** What it reads: nothing, unless it is to be typed. */
  readonly input?: 'ignore' | 'pipe';
}

/** A real process, its output, and ways to wait for what it says and for its end. */
export class RunningProcess {
  stdout = '';
  stderr = '';
  readonly exit: Promise<Exit>;
  readonly #child: ChildProcess;

  constructor(
    command: string,
    args: string[],
    { cwd, env = {}, input = 'ignore' }: ProcessOptions,
  ) {
    // A group of its own, so that stop() reaches what npm and the shell started too.
    this.#child = spawn(command, args, {
      cwd,
      env: { ...cleanEnvironment(), ...env },
      detached: true,
      stdio: [input, 'pipe', 'pipe'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.exit = new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      this.#child.on('close', (code, signal) => resolve({ code, signal }));
    });
  }

  /** The match of `pattern` in stdout, as soon as it is there. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    let over: string | undefined;
    const ended = this.exit.then(() => {
      over = 'It ended';
    });
    const deadline = new AbortController();
    const late = setTimeout(DEADLINE_MS, undefined, { signal: deadline.signal }).then(
      () => {
        over = 'It went on';
      },
      () => undefined,
    );
    try {
      for (;;) {
        const match = pattern.exec(this.stdout);
        if (match) return match;
        if (over)
          throw new Error(`${over} without saying ${pattern}:\n${this.stdout}${this.stderr}`);
        await Promise.race([ended, late, this.#nextOutput()]);
      }
    } finally {
      deadline.abort();
    }
  }

  /** As if somebody typed it; for one that was started with `input: 'pipe'`. */
  types(text: string): void {
    this.#child.stdin?.write(text);
  }

  send(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** To the process and all that it started. */
  sendToAll(signal: NodeJS.Signals): void {
    process.kill(-this.pid, signal);
  }

  /** Ends the process and all that it started. */
  async stop(): Promise<void> {
    try {
      this.sendToAll('SIGKILL');
    } catch {
      // The group is gone already.
    }
    await this.exit;
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('The process did not start.');
    return this.#child.pid;
  }

  #nextOutput(): Promise<void> {
    return new Promise((resolve) => this.#child.stdout?.once('data', () => resolve()));
  }
}

/** A process that ends with the test that started it, if not before. */
export function startProcess(
  command: string,
  args: string[],
  options: ProcessOptions,
): RunningProcess {
  const running = new RunningProcess(command, args, options);
  onTestFinished(() => running.stop());
  return running;
}

/**
 * The surroundings of a user's fresh shell: not those of the test runner (NODE_ENV, npm_*), and no
 * setting of Holdfast.
 */
function cleanEnvironment(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'LANG'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), npm_config_update_notifier: 'false' };
}
