import { randomInt } from 'node:crypto';
import { findRedisServer } from './find-redis-server.ts';
import { Guardian } from './guardian.ts';
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
  const binary = await findRedisServer();
  for (let left = PORTS_TO_TRY; ; left--) {
    try {
      return await PrivateRedis.start(binary, pickPort(), options);
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

class PrivateRedis implements RedisServer {
  readonly port: number;
  readonly version: string;
  readonly #guardian: Guardian;
  readonly #command: ServerCommand;
  #run: ServerProcess;

  private constructor(
    identity: { port: number; version: string },
    guardian: Guardian,
    command: ServerCommand,
    run: ServerProcess,
  ) {
    this.port = identity.port;
    this.version = identity.version;
    this.#guardian = guardian;
    this.#command = command;
    this.#run = run;
  }

  /** Leaves nothing behind if it rejects. */
  static async start(
    { command, env, version }: RedisBinary,
    port: number,
    { persistence = 'none', args = [] }: RedisOptions,
  ): Promise<PrivateRedis> {
    // Named by its port, the folder keeps the port from the others' servers until `stop`.
    const guardian = await Guardian.create(`holdfast-redis-${port}`);
    const server = {
      command,
      args: [
        ...['--bind', '127.0.0.1', '--port', String(port), '--dir', guardian.folder, '--save', ''],
        ...(persistence === 'aof' ? ['--appendonly', 'yes', '--appendfsync', 'always'] : []),
        ...args,
      ],
      env,
      ready: /Ready to accept connections/,
    };
    try {
      const run = await ServerProcess.start(guardian, server);
      return new PrivateRedis({ port, version }, guardian, server, run);
    } catch (error) {
      await guardian.release();
      throw error;
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#run.pid;
  }

  get folder(): string {
    return this.#guardian.folder;
  }

  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    return this.#run.kill(signal);
  }

  async restart(): Promise<void> {
    await this.#run.kill('SIGTERM');
    this.#run = await ServerProcess.start(this.#guardian, this.#command);
  }

  pause(): Promise<void> {
    return this.#run.pause();
  }

  resume(): void {
    this.#run.resume();
  }

  async stop(): Promise<void> {
    await this.#run.kill('SIGKILL');
    await this.#guardian.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
