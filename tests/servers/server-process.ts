import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Guardian } from './guardian.ts';
import { isStopped } from './process-state.ts';

/** Far above what any machine needs; it only turns a hang into a message. */
const DEADLINE_MS = 60_000;

export interface ServerCommand {
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** What it logs, to stdout or stderr, once it serves. */
  ready: RegExp;
}

/** A server that did not get ready, or did not end; the message holds its log. */
export class ServerProcessError extends Error {
  override readonly name = 'ServerProcessError';
  readonly log: string;

  constructor(message: string, log: string) {
    super(`${message} Its log:\n${log}`);
    this.log = log;
  }
}

/** One run of a server, from its start to its end, in its guardian's folder. */
export class ServerProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly #logStart: number;
  readonly #ended: Promise<void>;
  #end: string | undefined;

  private constructor(
    child: ChildProcess,
    pid: number,
    guardian: Guardian,
    log: { file: string; start: number },
  ) {
    this.#child = child;
    this.pid = pid;
    this.#logFile = log.file;
    this.#logStart = log.start;
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#end = signal ?? `code ${code}`;
        // Its number may become another process's from now on.
        guardian.guard(null).then(resolve);
      });
    });
  }

  /** Resolves when the server is ready. It has ended if this rejects. */
  static async start(guardian: Guardian, server: ServerCommand): Promise<ServerProcess> {
    const file = join(guardian.folder, 'server.log');
    const log = openSync(file, 'a');
    // The server takes the shell's place, number included, when its guardian knows the number.
    const script = 'read -r go && exec "$@" </dev/null';
    const child = spawn('/bin/sh', ['-c', script, 'sh', server.command, ...server.args], {
      cwd: guardian.folder,
      env: server.env,
      detached: true,
      stdio: ['pipe', log, log],
    });
    const start = fstatSync(log).size;
    closeSync(log);
    child.unref();
    child.stdin?.on('error', () => {});
    if (child.pid === undefined) {
      const [error] = await once(child, 'error');
      throw error;
    }
    const running = new ServerProcess(child, child.pid, guardian, { file, start });
    await guardian.guard(child.pid);
    child.stdin?.end('go\n');
    await running.#ready(server.ready);
    return running;
  }

  get isRunning(): boolean {
    return this.#end === undefined;
  }

  /** Resolves when the process has ended, by this signal or before. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    if (this.#end !== undefined) return;
    this.#child.ref();
    this.#child.kill(signal);
    // A stopped process ends by SIGKILL only.
    this.#child.kill('SIGCONT');
    const deadline = new AbortController();
    const late = sleep(DEADLINE_MS, 'late', { signal: deadline.signal }).catch(() => 'in time');
    const first = await Promise.race([this.#ended, late]);
    deadline.abort();
    if (first === 'late') throw this.#error(`The server did not end on ${signal}.`);
  }

  /** Resolves when the process stands still; it keeps its port and its connections. */
  async pause(): Promise<void> {
    if (!this.#child.kill('SIGSTOP')) throw this.#error('There is no running server to pause.');
    while (this.isRunning && !isStopped(this.pid)) await sleep(1);
  }

  resume(): void {
    if (!this.#child.kill('SIGCONT')) throw this.#error('There is no running server to resume.');
  }

  async #ready(pattern: RegExp): Promise<void> {
    const deadline = performance.now() + DEADLINE_MS;
    while (!pattern.test(this.#log())) {
      if (this.#end !== undefined) {
        throw this.#error(`The server ended (${this.#end}) before it was ready.`);
      }
      if (performance.now() > deadline) {
        await this.kill('SIGKILL');
        throw this.#error(`The server was not ready after ${DEADLINE_MS / 1000} s.`);
      }
      await sleep(5);
    }
  }

  #error(message: string): ServerProcessError {
    return new ServerProcessError(message, this.#log());
  }

  /** Of this run. */
  #log(): string {
    return readFileSync(this.#logFile).subarray(this.#logStart).toString();
  }
}
