import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, ask, field } from './ask.ts';
import {
  type FakeTimeRedis,
  type RedisOptions,
  type RedisServer,
  startRedis,
  startRedisOnFakeTime,
} from './redis-server.ts';

const slots = 16_384;
const pollMs = 20;
/** Far above what any machine needs; it only turns a hang into a message. */
const deadlineMs = 60_000;

export interface ClusterOptions {
  readonly primaries?: number;
  /** Of each primary. */
  readonly replicas?: number;
  /** How long a node may be silent before the others call it dead, in ms. */
  readonly nodeTimeoutMs?: number;
  readonly redis?: RedisOptions;
}

interface ClusterShard<Server> {
  readonly nodes: readonly Server[];
  readonly slots: Set<number>;
}

/** A Redis Cluster of this process's own: primaries first in `nodes`, then their replicas in turn. */
export class RedisCluster<Server extends RedisServer = RedisServer> implements AsyncDisposable {
  readonly nodes: readonly Server[];
  readonly primaryCount: number;

  private constructor(nodes: readonly Server[], primaryCount: number) {
    this.nodes = nodes;
    this.primaryCount = primaryCount;
  }

  static start(options: ClusterOptions = {}): Promise<RedisCluster> {
    return RedisCluster.#form(
      options,
      (redis) => startRedis(redis),
      () => {},
    );
  }

  /** Primaries alone, on clocks that only `setTime` moves, all at once. */
  static async startOnFakeTime(options: ClusterOptions = {}): Promise<RedisCluster<FakeTimeRedis>> {
    // Servers talk by their clocks: until they know each other these go on.
    let time = Date.UTC(2029, 11, 31);
    const redis = { ...options, replicas: 0, nodeTimeoutMs: 2_000_000_000 };
    return RedisCluster.#form(
      redis,
      (one) => startRedisOnFakeTime({ ...one, time }),
      (nodes) => {
        time += 200;
        for (const node of nodes) node.setTime(time);
      },
    );
  }

  static async #form<Server extends RedisServer>(
    { primaries = 3, replicas = 1, nodeTimeoutMs = 2_000, redis = {} }: ClusterOptions,
    start: (options: RedisOptions) => Promise<Server>,
    tick: (nodes: readonly Server[]) => void,
  ): Promise<RedisCluster<Server>> {
    const args = [
      ...['--cluster-enabled', 'yes', '--cluster-node-timeout', String(nodeTimeoutMs)],
      // A primary that is away takes its own slots along, and no others.
      ...['--cluster-require-full-coverage', 'no'],
      ...['--repl-diskless-sync-delay', '0', ...(redis.args ?? [])],
    ];
    const started = await Promise.allSettled(
      Array.from({ length: primaries * (1 + replicas) }, () => start({ ...redis, args })),
    );
    const nodes = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const cluster = new RedisCluster(nodes, primaries);
    try {
      for (const one of started) if (one.status === 'rejected') throw one.reason;
      await cluster.#introduce(() => tick(nodes));
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** As `host:port`. */
  get addresses(): string[] {
    return this.nodes.map(({ port }) => `127.0.0.1:${port}`);
  }

  get primaries(): readonly Server[] {
    return this.nodes.slice(0, this.primaryCount);
  }

  /** The node that has the slot, as the first node that answers sees it. */
  async ownerOf(slot: number): Promise<Server> {
    for (const node of this.nodes) {
      const ranges = await ask(node.port, 'CLUSTER', 'SLOTS').catch(() => null);
      for (const range of Array.isArray(ranges) ? ranges : []) {
        const [from, to, primary] = range as readonly [number, number, readonly Answer[]];
        if (slot < from || slot > to) continue;
        const owner = this.nodes.find(({ port }) => port === primary[1]);
        if (owner !== undefined) return owner;
      }
    }
    throw new Error(`No node says who has slot ${slot}.`);
  }

  /** The nodes that have the same slots, and which; as the first node sees it, once it sees all nodes. */
  async shards(): Promise<readonly ClusterShard<Server>[]> {
    for (;;) {
      const shards = await this.#shards();
      const seen = shards.reduce((sum, { nodes }) => sum + nodes.length, 0);
      if (seen === this.nodes.length) return shards;
      await sleep(pollMs);
    }
  }

  async #shards(): Promise<readonly ClusterShard<Server>[]> {
    const shards = new Map<Answer | undefined, ClusterShard<Server>>();
    const ranges = await ask(this.nodes[0]?.port ?? 0, 'CLUSTER', 'SLOTS');
    for (const range of Array.isArray(ranges) ? ranges : []) {
      const [from, to, ...places] = range as readonly [number, number, ...(readonly Answer[])[]];
      const ports = places.map((place) => place[1]);
      const nodes = this.nodes.filter(({ port }) => ports.includes(port));
      const shard = shards.get(ports[0]) ?? { nodes, slots: new Set<number>() };
      for (let slot = from; slot <= to; slot++) shard.slots.add(slot);
      shards.set(ports[0], shard);
    }
    return [...shards.values()];
  }

  /** Moves a slot, keys and all, as `redis-cli --cluster reshard` does. */
  async move(
    slot: number,
    to: Server,
    between: () => Promise<void> = async () => {},
  ): Promise<void> {
    const from = await this.ownerOf(slot);
    const [source, target] = await Promise.all([idOf(from), idOf(to)]);
    await ask(to.port, 'CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', source);
    await ask(from.port, 'CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', target);
    await between();
    for (;;) {
      const keys = await ask(from.port, 'CLUSTER', 'GETKEYSINSLOT', String(slot), '100');
      if (!Array.isArray(keys) || keys.length === 0) break;
      const names = keys.map(String);
      await ask(
        from.port,
        ...['MIGRATE', '127.0.0.1', String(to.port), '', '0', '5000', 'KEYS', ...names],
      );
    }
    for (const node of [to, from, ...this.nodes]) {
      await ask(node.port, 'CLUSTER', 'SETSLOT', String(slot), 'NODE', target).catch(() => {});
    }
  }

  /** Until every node calls the cluster whole, and every replica follows. */
  async ready(
    tick: () => void = () => {},
    replicas = this.nodes.length - this.primaryCount,
  ): Promise<void> {
    await until('the cluster is whole', tick, async () => {
      const states = await Promise.all(
        this.nodes.map(async ({ port }) =>
          field(await ask(port, 'CLUSTER', 'INFO'), 'cluster_state'),
        ),
      );
      const links = await Promise.all(
        this.nodes.map(async ({ port }) =>
          field(await ask(port, 'INFO', 'replication'), 'master_link_status'),
        ),
      );
      const following = links.filter((link) => link === 'up').length;
      return states.every((state) => state === 'ok') && following === replicas;
    });
  }

  /** Starts what has died, and lets go on what was stopped. */
  async revive(): Promise<void> {
    for (const node of this.nodes) {
      if (isAlive(node)) node.resume();
      else await node.restart();
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #introduce(tick: () => void): Promise<void> {
    const { primaries, nodes } = this;
    for (const [at, { port }] of primaries.entries()) {
      const [from, to] = [at, at + 1].map((part) => Math.floor((part * slots) / primaries.length));
      await ask(port, 'CLUSTER', 'SET-CONFIG-EPOCH', String(at + 1));
      await ask(port, 'CLUSTER', 'ADDSLOTSRANGE', String(from), String(Number(to) - 1));
    }
    const [first] = nodes;
    if (first === undefined) return;
    for (const { port } of nodes.slice(1)) {
      await ask(first.port, 'CLUSTER', 'MEET', '127.0.0.1', String(port));
    }
    const all = String(nodes.length);
    await until('the nodes know each other', tick, async () => {
      const infos = await Promise.all(nodes.map(({ port }) => ask(port, 'CLUSTER', 'INFO')));
      return infos.every((info) => field(info, 'cluster_known_nodes') === all);
    });
    for (const [at, replica] of nodes.slice(primaries.length).entries()) {
      const primary = primaries[at % primaries.length];
      if (primary === undefined) continue;
      const id = await idOf(primary);
      await until('a replica has its primary', tick, () =>
        ask(replica.port, 'CLUSTER', 'REPLICATE', id).then(
          () => true,
          () => false,
        ),
      );
    }
    await this.ready(tick);
  }
}

function isAlive({ pid }: RedisServer): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function idOf({ port }: RedisServer): Promise<string> {
  return String(await ask(port, 'CLUSTER', 'MYID'));
}

async function until(what: string, tick: () => void, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`It did not come to pass that ${what}.`);
    tick();
    await sleep(pollMs);
  }
}
