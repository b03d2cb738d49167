import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from './ask.ts';
import { findRedisServer } from './find-redis-server.ts';
import { Guardian } from './guardian.ts';
import type { Network } from './networks.ts';
import { type RedisOptions, type RedisServer, startRedis } from './redis-server.ts';
import { ServerProcess } from './server-process.ts';

const sentinelCount = 3;
const portsToTry = 50;
/** Far above what any machine needs; it only turns a hang into a message. */
const deadlineMs = 60_000;
const pollMs = 20;

export interface SentinelOptions<Server extends RedisServer = RedisServer> {
  readonly replicas?: number;
  /** How long the primary may be silent before a sentinel calls it dead, in ms. */
  readonly downAfterMs?: number;
  readonly redis?: RedisOptions;
  /** Where the replicas and two of the sentinels are, apart from the primary and the third. */
  readonly networks?: { readonly primary: Network; readonly others: Network } | undefined;
  /** How the primary is started. */
  readonly startPrimary?: (options: RedisOptions) => Promise<Server>;
}

/** A primary, its replicas, and three sentinels that watch them, of this process's own. */
export class SentinelSetup<Server extends RedisServer = RedisServer> implements AsyncDisposable {
  readonly master = 'sessions';
  /** The primary first, as long as nothing fails. */
  readonly nodes: readonly (Server | RedisServer)[];
  readonly first: Server;
  readonly sentinels: readonly Sentinel[];

  private constructor(
    first: Server,
    replicas: readonly RedisServer[],
    sentinels: readonly Sentinel[],
  ) {
    this.first = first;
    this.nodes = [first, ...replicas];
    this.sentinels = sentinels;
  }

  static async start<Server extends RedisServer = RedisServer>({
    replicas = 2,
    downAfterMs = 1_000,
    redis = {},
    networks,
    startPrimary,
  }: SentinelOptions<Server> = {}): Promise<SentinelSetup<Server>> {
    const args = ['--repl-diskless-sync-delay', '0', ...(redis.args ?? [])];
    const first = await (
      startPrimary ?? (startRedis as (options: RedisOptions) => Promise<Server>)
    )({ ...redis, args, ...(networks && { network: networks.primary }) });
    const started: { stop(): Promise<void> }[] = [first];
    try {
      const followers: RedisServer[] = [];
      for (let left = replicas; left > 0; left--) {
        const follow = ['--replicaof', `${first.host} ${first.port}`];
        const follower = await startRedis({
          ...redis,
          args: [...args, ...follow],
          ...(networks && { network: networks.others }),
        });
        started.push(follower);
        followers.push(follower);
      }
      const sentinels: Sentinel[] = [];
      for (let left = sentinelCount; left > 0; left--) {
        const sentinel = await Sentinel.start(
          first,
          downAfterMs,
          left === sentinelCount ? networks?.primary : networks?.others,
        );
        started.push(sentinel);
        sentinels.push(sentinel);
      }
      const setup = new SentinelSetup(first, followers, sentinels);
      await setup.ready();
      return setup;
    } catch (error) {
      await Promise.all(started.map((one) => one.stop()));
      throw error;
    }
  }

  /** Of the sentinels, as `host:port`. */
  get addresses(): string[] {
    return this.sentinels.map(({ at }) => at);
  }

  /** The primary, as the last sentinel sees it. */
  async primary(): Promise<Server | RedisServer> {
    const sentinel = this.sentinels.at(-1);
    const at = await ask(sentinel?.at ?? '', 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.master);
    const port = Array.isArray(at) ? Number(at[1]) : 0;
    const node = this.nodes.find((one) => one.port === port);
    if (node === undefined) throw new Error(`The sentinel names no node of ours: ${port}.`);
    return node;
  }

  /** Until all replicas have what the primary has, and all sentinels know of each other and of the replicas. */
  async ready(): Promise<void> {
    const [others, replicas] = [String(sentinelCount - 1), String(this.nodes.length - 1)];
    await until('the sentinels know each other', async () => {
      const views = await Promise.all(
        this.sentinels.map(({ at }) => ask(at, 'SENTINEL', 'MASTER', this.master)),
      );
      const known = views.every((view) => {
        const words = Array.isArray(view) ? view.map(String) : [];
        const value = (name: string) => words[words.indexOf(name) + 1];
        return value('num-other-sentinels') === others && value('num-slaves') === replicas;
      });
      const primary = await this.primary();
      const info = await ask(`${primary.host}:${primary.port}`, 'INFO', 'replication');
      const online = String(info).match(/^slave\d+:.*state=online,.*lag=[01]/gm) ?? [];
      return known && online.length === this.nodes.length - 1;
    });
  }

  async stop(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.nodes].map((one) => one.stop()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** One sentinel process. */
export class Sentinel {
  /** As `host:port`. */
  readonly at: string;
  readonly #guardian: Guardian;
  readonly #run: ServerProcess;

  private constructor(at: string, guardian: Guardian, run: ServerProcess) {
    this.at = at;
    this.#guardian = guardian;
    this.#run = run;
  }

  static async start(
    primary: RedisServer,
    downAfterMs: number,
    network?: Network,
  ): Promise<Sentinel> {
    const host = network?.host ?? '127.0.0.1';
    const { command, env } = await findRedisServer();
    for (let left = portsToTry; ; left--) {
      const port = randomInt(10_000, 22_000);
      // Named by its port, the folder keeps the port from others.
      const guardian = await Guardian.create(`holdfast-redis-${port}`).catch((error: unknown) => {
        if (left === 1) throw error;
      });
      if (guardian === undefined) continue;
      const file = path.join(guardian.folder, 'sentinel.conf');
      const lines = [
        ...[`bind ${host}`, `port ${port}`, `dir ${guardian.folder}`, 'protected-mode no'],
        `sentinel monitor sessions ${primary.host} ${primary.port} 2`,
        `sentinel down-after-milliseconds sessions ${downAfterMs}`,
        ...['sentinel failover-timeout sessions 3000', 'sentinel parallel-syncs sessions 2'],
      ];
      await writeFile(file, `${lines.join('\n')}\n`);
      try {
        const ready = /\+monitor master/;
        const [wrapped = command, ...front] = [...(network?.within ?? []), command];
        const args = [...front, file, '--sentinel'];
        const server = { command: wrapped, args, env, ready };
        return new Sentinel(
          `${host}:${port}`,
          guardian,
          await ServerProcess.start(guardian, server),
        );
      } catch (error) {
        await guardian.release();
        if (left === 1 || !/Address already in use/.test(String(error))) throw error;
      }
    }
  }

  async stop(): Promise<void> {
    await this.#run.kill('SIGKILL');
    await this.#guardian.release();
  }
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`It did not come to pass that ${what}.`);
    await sleep(pollMs);
  }
}
