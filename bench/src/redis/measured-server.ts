import { connectNodeRedis } from '../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import { RedisAddress } from '../../../packages/holdfast/src/lib/redis/connection/redis-address.ts';
import type { RedisConnection } from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { type RedisServer, startRedis } from '../../../tests/servers/redis-server.ts';
import type { Figures } from '../figures.ts';

const connectMs = 5_000;

/** A connection with the very settings that the library gives its own. */
export function connectTo(url: string): Promise<RedisConnection> {
  const signal = AbortSignal.timeout(connectMs);
  return connectNodeRedis(new RedisAddress({ url }), 'commands', signal);
}

/** A Redis process of one subject's own, without persistence, and what it says of itself. */
export class MeasuredServer {
  readonly #server: RedisServer;
  readonly #connection: RedisConnection;

  private constructor(server: RedisServer, connection: RedisConnection) {
    this.#server = server;
    this.#connection = connection;
  }

  static async start(): Promise<MeasuredServer> {
    const server = await startRedis();
    try {
      return new MeasuredServer(server, await connectTo(server.url));
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  get url(): string {
    return this.#server.url;
  }

  /** What `work` gave, and what its `count` operations cost here, each. */
  async during(count: number, work: () => Promise<Figures>): Promise<Figures> {
    const before = await this.#usage();
    const figures = await work();
    const after = await this.#usage();
    return {
      ...figures,
      serverCpu: (after.cpuNs - before.cpuNs) / count,
      calls: (after.calls - before.calls) / count,
    };
  }

  /** Bytes that its data takes, as its allocator rounds them. */
  async memory(): Promise<number> {
    return Number((await this.#info('memory')).get('used_memory'));
  }

  /** Bytes that it has sent to all clients so far, its messages included. */
  async sentBytes(): Promise<number> {
    return Number((await this.#info('stats')).get('total_net_output_bytes'));
  }

  async forgetAll(): Promise<void> {
    await this.#connection.send(['FLUSHALL', 'SYNC']);
  }

  /** By command: how often it was called since `resetCommands`, and microseconds of all calls. */
  async commands(): Promise<ReadonlyMap<string, { calls: number; micros: number }>> {
    const commands = new Map<string, { calls: number; micros: number }>();
    for (const [name, line] of await this.#info('commandstats')) {
      const found = /^calls=(\d+),usec=(\d+)/.exec(line);
      if (found === null) continue;
      const [calls, micros] = [Number(found[1]), Number(found[2])];
      commands.set(name.replace('cmdstat_', ''), { calls, micros });
    }
    return commands;
  }

  async resetCommands(): Promise<void> {
    await this.#connection.send(['CONFIG', 'RESETSTAT']);
  }

  /** It answers nothing until `thaw`. */
  freeze(): void {
    process.kill(this.#server.pid, 'SIGSTOP');
  }

  thaw(): void {
    process.kill(this.#server.pid, 'SIGCONT');
  }

  async stop(): Promise<void> {
    this.#connection.destroy();
    await this.#server.stop();
  }

  async #usage(): Promise<{ cpuNs: number; calls: number }> {
    const cpu = await this.#info('cpu');
    const seconds = Number(cpu.get('used_cpu_user')) + Number(cpu.get('used_cpu_sys'));
    const calls = (await this.commands()).get('evalsha')?.calls ?? 0;
    return { cpuNs: seconds * 1e9, calls };
  }

  async #info(section: string): Promise<ReadonlyMap<string, string>> {
    const lines = String(await this.#connection.send(['INFO', section])).split('\r\n');
    return new Map(lines.map((line) => line.split(':', 2) as [string, string]));
  }
}
