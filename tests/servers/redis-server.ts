import { randomInt } from 'node:crypto';
import { FakeTime } from './fake-time.ts';
import { findLibfaketime } from './find-libfaketime.ts';
import { findRedisServer } from './find-redis-server.ts';
import { Guardian } from './guardian.ts';
import type { Network } from './networks.ts';
import type { RedisBinary } from './redis-binary.ts';
import { type ServerCommand, ServerProcess, ServerProcessError } from './server-process.ts';

export interface RedisOptions {
  /**
   * `none`, the default, forgets all at its end. `aof` keeps every acknowledged write through any
   * end of the process: it has it on disk before it replies.
   */
  persistence?: 'none' | 'aof';
  /** Further arguments, such as `['--maxmemory', '50mb']`; they win. The log must stay as it is. */
  args?: readonly string[];
  /** Where it runs; on 127.0.0.1 unless given. */
  network?: Network;
}

/** Where a test's Redis is. */
export interface RedisAddress extends AsyncDisposable {
  readonly url: string;
  /** Ends what was started for this address. */
  stop(): Promise<void>;
}

/** A Redis (or Valkey) process of this one's own. It ends with this process at the latest. */
export interface RedisServer extends RedisAddress {
  readonly port: number;
  readonly host: string;
  /** Of the present run, or of the last one. */
  readonly pid: number;
  /** The server's working folder: its data and `server.log`. Removed by `stop`. */
  readonly folder: string;
  readonly version: string;
  /** Resolves when the process has ended; `restart` brings it back. */
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Ends the process by SIGTERM if it runs, and starts it on the same port and data. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing is answered. Resolves when that is so. */
  pause(): Promise<void>;
  /** SIGCONT. */
  resume(): void;
}

/** Its clock, which TIME tells and PEXPIREAT goes by, stands still; timers and waits run as ever. */
export interface FakeTimeRedis extends RedisServer {
  /**
   * From the next command on, after a restart too.
   *
   * @param ms whole milliseconds since the epoch
   */
  setTime(ms: number): void;
}

const PORTS_TO_TRY = 50;

/**
 * Starts a Redis on a free port of 127.0.0.1, with a temporary folder of its own.
 *
 * @param pickPort for tests of this function
 */
export async function startRedis(
  options: RedisOptions = {},
  pickPort: () => number = randomPort,
): Promise<RedisServer> {
  return startOnFreePort(options, pickPort);
}

/**
 * The same, on a clock that only `setTime` moves.
 *
 * @param options `time` is what it shows at first, in milliseconds since the epoch; 2030-01-01
 * unless given
 */
export async function startRedisOnFakeTime({
  time = Date.UTC(2030, 0, 1),
  ...options
}: RedisOptions & { time?: number } = {}): Promise<FakeTimeRedis> {
  const library = await findLibfaketime();
  return startOnFreePort(options, randomPort, (folder) => new FakeTime(library, folder, time));
}

async function startOnFreePort(
  options: RedisOptions,
  pickPort: () => number,
  fakeTimeIn?: (folder: string) => FakeTime,
): Promise<PrivateRedis> {
  const binary = await findRedisServer();
  for (let left = PORTS_TO_TRY; ; left--) {
    try {
      return await PrivateRedis.start(binary, pickPort(), options, fakeTimeIn);
    } catch (error) {
      if (left === 1 || !isPortTaken(error)) throw error;
    }
  }
}

/**
 * Below the ports that systems hand out: a client that reconnects to a dead server on one of those
 * can get the server's port as its own and connect to itself. The port + 10000, where a cluster's
 * nodes talk, is below them too.
 */
function randomPort(): number {
  return randomInt(10_000, 22_000);
}

/** By another program, or by one of our servers, which keeps its port while it does not run. */
function isPortTaken(error: unknown): boolean {
  if (error instanceof ServerProcessError) return error.log.includes('Address already in use');
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}

/** What stays while runs come and go. */
interface Place {
  host: string;
  port: number;
  version: string;
  guardian: Guardian;
  command: ServerCommand;
  fakeTime: FakeTime | undefined;
}

class PrivateRedis implements FakeTimeRedis {
  readonly #place: Place;
  #run: ServerProcess;

  private constructor(place: Place, run: ServerProcess) {
    this.#place = place;
    this.#run = run;
  }

  /** Leaves nothing behind if it rejects. */
  static async start(
    { command, env, version }: RedisBinary,
    port: number,
    { persistence = 'none', args = [], network }: RedisOptions,
    fakeTimeIn?: (folder: string) => FakeTime,
  ): Promise<PrivateRedis> {
    // Named by its port, the folder keeps the port from the others' servers until `stop`.
    const guardian = await Guardian.create(`holdfast-redis-${port}`);
    const host = network?.host ?? '127.0.0.1';
    const [wrapped, ...front] = [...(network?.within ?? []), command];
    const server = {
      command: wrapped ?? command,
      args: [
        ...front,
        ...['--bind', host, '--port', String(port), '--dir', guardian.folder, '--save', ''],
        ...(network === undefined ? [] : ['--protected-mode', 'no']),
        ...(persistence === 'aof' ? ['--appendonly', 'yes', '--appendfsync', 'always'] : []),
        ...args,
      ],
      env,
      ready: /Ready to accept connections/,
    };
    try {
      const fakeTime = fakeTimeIn?.(guardian.folder);
      const place = {
        host,
        port,
        version,
        guardian,
        command: fakeTime?.on(server) ?? server,
        fakeTime,
      };
      return new PrivateRedis(place, await PrivateRedis.#startRun(place));
    } catch (error) {
      await guardian.release();
      throw error;
    }
  }

  static async #startRun({ guardian, command, fakeTime }: Place): Promise<ServerProcess> {
    const run = await ServerProcess.start(guardian, command);
    if (fakeTime !== undefined) FakeTime.cleanUpAfter(run.pid);
    return run;
  }

  get port(): number {
    return this.#place.port;
  }

  get host(): string {
    return this.#place.host;
  }

  get version(): string {
    return this.#place.version;
  }

  get url(): string {
    return `redis://${this.host}:${this.port}`;
  }

  get pid(): number {
    return this.#run.pid;
  }

  get folder(): string {
    return this.#place.guardian.folder;
  }

  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    return this.#run.kill(signal);
  }

  async restart(): Promise<void> {
    await this.#run.kill('SIGTERM');
    this.#run = await PrivateRedis.#startRun(this.#place);
  }

  setTime(ms: number): void {
    if (this.#place.fakeTime === undefined) throw new Error('This server runs on real time.');
    this.#place.fakeTime.set(ms);
  }

  pause(): Promise<void> {
    return this.#run.pause();
  }

  resume(): void {
    this.#run.resume();
  }

  async stop(): Promise<void> {
    await this.#run.kill('SIGKILL');
    await this.#place.guardian.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
