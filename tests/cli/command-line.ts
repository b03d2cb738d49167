import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { RedisSessionStore } from 'holdfast/redis';
import { expect, inject, onTestFinished } from 'vitest';
import { type RunningProcess, startProcess } from '../helpers/child-process.ts';
import { startRedis } from '../servers/redis-server.ts';

const columns = 80;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built command line, with these settings and no terminal. */
export function start(args: readonly string[], env: Record<string, string> = {}): RunningProcess {
  return startProcess(process.execPath, ['packages/holdfast/dist/cli.js', ...args], {
    cwd: inject('builtCopy'),
    env,
  });
}

/** The same, until its end. What it says to people fits a terminal, and has none of a terminal's codes. */
export async function run(args: readonly string[], env?: Record<string, string>): Promise<Ended> {
  const running = start(args, env);
  const { code } = await running.exit;
  const { stdout, stderr } = running;
  expect(stdout + stderr).not.toContain('\u001b');
  expectToFit(args.includes('--json') || args.includes('export') ? stderr : stdout + stderr);
  return { code, stdout, stderr };
}

export function expectToFit(text: string): void {
  expect(text.split(/\r?\n/).filter((line) => [...line].length > columns)).toEqual([]);
}

/** Of util-linux: gives a program a terminal. */
const scriptProgram = '/usr/bin/script';
export const hasTerminals = existsSync(scriptProgram);

/** What is typed in a terminal: its line discipline makes a signal of it, unless a prompt reads keys itself. */
export const ctrlC = '\u0003';

/**
 * The same in a terminal of 80 columns; what it writes to it is on `stdout`, and behind it how the terminal
 * was left (`seenInTerminal`).
 */
export function startInTerminal(
  args: readonly string[],
  env: Record<string, string> = {},
): RunningProcess {
  const words = [process.execPath, 'packages/holdfast/dist/cli.js', ...args];
  const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  // The shell itself stays: it waits for the command, and looks at the terminal then.
  const script = `stty cols ${columns}; trap : INT; ${quoted}; code=$?; echo; echo "${after}$(stty -a | grep -owE -- '-?(icanon|echo)' | tr '\\n' ' ')"; exit $code`;
  return startProcess(
    scriptProgram,
    ['--quiet', '--return', '--flush', '--command', script, '/dev/null'],
    { cwd: inject('builtCopy'), env: { TERM: 'xterm', ...env }, input: 'pipe' },
  );
}

const after = 'terminal-after:';

/** What the command wrote to its terminal, and whether it left that as it was: keys echoed, lines read, the cursor shown. */
export function seenInTerminal({ stdout }: RunningProcess) {
  const [text = '', state = ''] = stdout.split(after);
  const isShown = text.lastIndexOf('\u001b[?25l') <= text.lastIndexOf('\u001b[?25h');
  const isSet = ['icanon', 'echo'].every((mode) => state.trim().split(' ').includes(mode));
  return { text, isAsBefore: isShown && isSet };
}

/** A Redis of its own, as it should be set up, and a store on it beside the command line. */
export async function scene(settings: Record<string, string> = {}) {
  const redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'no'] });
  onTestFinished(() => redis.stop());
  const keyPrefix = `cli:${randomUUID()}:`;
  const env = {
    SESSION_STORE_TYPE: 'redis',
    REDIS_URL: redis.url,
    REDIS_SESSION_KEY_PREFIX: keyPrefix,
    REDIS_SOCKET_TIMEOUT: '60',
    SESSION_LOCK_TIMEOUT_SECONDS: '600',
    REDIS_SOCKET_CONNECT_TIMEOUT: '60',
    ...settings,
  };
  const opened = async (options: Partial<Parameters<typeof RedisSessionStore.connect>[0]> = {}) => {
    const store = await RedisSessionStore.connect({
      ...{ url: redis.url, keyPrefix, timeoutMs: 60_000, connectTimeoutMs: 60_000 },
      ...options,
    });
    onTestFinished(() => store.close());
    return store;
  };
  return { redis, env, keyPrefix, opened };
}
