import { ConfigError } from '../../../errors/errors.ts';
import { diagnose } from '../diagnose.ts';
import { diagnoses } from '../diagnoses.ts';
import { type NodeSettings, RedisNode } from '../nodes/redis-node.ts';
import { outside } from '../outside.ts';
import { Pauses } from '../pauses.ts';
import { nameOf, type Place } from '../place.ts';
import type { RedisAddress } from '../redis-address.ts';
import {
  type ConnectRedis,
  type RedisConnection,
  RedisReplyError,
  RedisTimeoutError,
} from '../redis-connection.ts';
import { UnreachedServerError } from '../unreached-server-error.ts';
import { attempt } from './attempt.ts';
import { ClusterChannels } from './cluster-channels.ts';
import { parseRedirect, parseSlots, type SlotRange, slotCount, slotOf } from './cluster-slots.ts';
import type { Routes } from './routes.ts';
import type { Translate } from './topology.ts';

export interface ClusterOptions {
  /** Some of the servers; the others are learned from them. */
  readonly roots: readonly Place[];
  /** How to get into each of them. */
  readonly address: RedisAddress;
  readonly connect: ConnectRedis;
  readonly translate: Translate;
}

/** How long one server may take to say how the slots are divided, in ms. */
const answerMs = 1_000;
/** Between two questions while a server is away, in ms. */
const pauseMs = 250;

/** How the slots are divided, as one server sees it. */
interface View {
  readonly epoch: number;
  readonly ranges: readonly SlotRange[];
}

/**
 * The primaries of a cluster, and which of them has which slot (Redis cluster specification). That is
 * asked of all servers that are known whenever one redirects a call, drops a channel or is away, as
 * long as it is; the view of the newest epoch counts: a server that is cut off goes on believing an
 * older one.
 */
export class Cluster implements Routes {
  readonly isSharded = true;
  readonly #settings: NodeSettings;
  readonly #options: ClusterOptions;
  readonly #nodes = new Map<string, RedisNode>();
  /** By slot. */
  readonly #owners: (RedisNode | undefined)[] = new Array(slotCount);
  readonly #known = new Map<string, Place>();
  readonly #channels: ClusterChannels;
  readonly #closing = new AbortController();
  readonly #pauses = new Pauses();
  #epoch = -1;
  #learning: Promise<void> | undefined;
  #mustLookAgain = false;
  #lastFailure: unknown;

  constructor(settings: NodeSettings, options: ClusterOptions, onGap: () => void) {
    this.#settings = settings;
    this.#options = options;
    for (const root of options.roots) this.#known.set(nameOf(root), root);
    this.#channels = new ClusterChannels({
      nodeFor: (channel) => this.nodeFor(channel),
      timeoutMs: settings.timeoutMs,
      onGap,
    });
  }

  get nodes(): Iterable<RedisNode> {
    return this.#nodes.values();
  }

  nodeFor(key: string | undefined): RedisNode {
    const owner = key === undefined ? undefined : this.#owners[slotOf(key)];
    if (owner !== undefined) return owner;
    for (const node of this.#nodes.values()) return node;
    throw new Error('The cluster was used before it was open.');
  }

  redirected(message: string, by: RedisNode): RedisNode | null {
    const redirect = parseRedirect(message, by.address.host);
    if (redirect === null || this.#closing.signal.aborted) return null;
    const node = this.#node(redirect.place);
    if (message.startsWith('MOVED')) {
      this.#owners[redirect.slot] = node;
      this.#learn();
    }
    return node;
  }

  subscribe(channel: string, listener: (message: Buffer) => void): Promise<() => void> {
    return this.#channels.subscribe(channel, listener);
  }

  async open(deadline: number): Promise<void> {
    while (this.#hasGap()) {
      await this.#look().catch((error: unknown) => {
        this.#lastFailure = error;
      });
      this.#closing.signal.throwIfAborted();
      if (!this.#hasGap()) break;
      const isFinal =
        this.#lastFailure instanceof ConfigError || performance.now() + pauseMs >= deadline;
      if (isFinal)
        throw this.#lastFailure ?? new Error('Some slots of the cluster have no server.');
      await this.#pauses.wait(pauseMs);
    }
    await Promise.all(
      [...this.#nodes.values()].map(async ({ commands }) => {
        try {
          await commands.ready(deadline);
        } catch (error) {
          throw error instanceof RedisTimeoutError ? (commands.lastFailure ?? error) : error;
        }
      }),
    );
  }

  async close(why: Error): Promise<void> {
    this.#closing.abort(why);
    this.#pauses.end();
    this.#channels.close();
    await Promise.all([...this.#nodes.values()].map((node) => node.close(why)));
    await this.#learning;
  }

  #hasGap(): boolean {
    return this.#owners.includes(undefined);
  }

  /** Looks how the slots are divided now, and again as long as a server is away. */
  #learn(): void {
    this.#mustLookAgain = true;
    this.#learning ??= outside(() => this.#learnAll()).finally(() => {
      this.#learning = undefined;
    });
  }

  async #learnAll(): Promise<void> {
    for (;;) {
      this.#mustLookAgain = false;
      await this.#look().catch((error: unknown) => {
        this.#lastFailure = error;
      });
      if (this.#closing.signal.aborted) return;
      const isWhole = [...this.#nodes.values()].every(({ commands }) => commands.current);
      const pause = this.#pauses.wait(pauseMs);
      // A channel may wait for a server that is dead: by then its slot may have another one.
      const isSettled = await Promise.race([this.#channels.settle(), pause.then(() => false)]);
      if (isWhole && isSettled && !this.#mustLookAgain) return;
      await pause;
      if (this.#closing.signal.aborted) return;
    }
  }

  /** @throws what a server failed with, when none answers */
  async #look(): Promise<void> {
    const views = await Promise.allSettled(
      [...this.#known.values()].map((at) =>
        this.#ask(at).catch((error: unknown) => {
          throw ofNode(at, error);
        }),
      ),
    );
    if (this.#closing.signal.aborted) return;
    const seen = views.flatMap((view) => (view.status === 'fulfilled' ? [view.value] : []));
    const newest = seen.sort((one, other) => other.epoch - one.epoch)[0];
    if (newest === undefined) {
      throw views.find((view) => view.status === 'rejected')?.reason;
    }
    if (newest.epoch >= this.#epoch) this.#apply(newest);
  }

  async #ask(at: Place): Promise<View> {
    const live = this.#nodes.get(nameOf(at))?.commands.current;
    if (live !== undefined) {
      const late = () =>
        new RedisTimeoutError('The server did not say in time who has which slot.');
      const asked = live.track((connection) => view(connection, at.host));
      return this.#settings.timer.within(asked, performance.now() + answerMs, late);
    }
    return attempt(answerMs, this.#closing.signal, (signal) => this.#visit(at, signal));
  }

  /** Asks a server over a connection for this one question. */
  async #visit(at: Place, signal: AbortSignal): Promise<View> {
    const { host, port } = this.#options.translate(at);
    const address = this.#options.address.at(host, port);
    const connection = await this.#options.connect(address, 'discovery', signal);
    const giveUp = () => connection.destroy();
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      return await view(connection, at.host);
    } catch (error) {
      const failure = connection.explain(error);
      if (failure instanceof RedisReplyError && /cluster support disabled/i.test(failure.message)) {
        throw new ConfigError(
          `Redis at ${nameOf(at)} is no node of a cluster: take it out of REDIS_CLUSTER_NODES, or use REDIS_URL for a single server.`,
        );
      }
      throw failure;
    } finally {
      connection.destroy();
    }
  }

  #apply({ epoch, ranges }: View): void {
    this.#epoch = epoch;
    const named = new Map(this.#options.roots.map((root) => [nameOf(root), root]));
    for (const { from, to, primary, replicas } of ranges) {
      for (const place of [primary, ...replicas]) named.set(nameOf(place), place);
      this.#owners.fill(this.#node(primary), from, to + 1);
    }
    this.#known.clear();
    for (const [name, place] of named) this.#known.set(name, place);
    const inUse = new Set(this.#owners);
    for (const [name, node] of this.#nodes) {
      if (inUse.has(node)) continue;
      this.#nodes.delete(name);
      void node.close(new Error('The cluster has given its slots to another server.'));
    }
    void this.#channels.settle();
  }

  #node(place: Place): RedisNode {
    const name = nameOf(place);
    const known = this.#nodes.get(name);
    if (known !== undefined) return known;
    const { host, port } = this.#options.translate(place);
    const address = this.#options.address.at(host, port);
    const learn = () => this.#learn();
    const node = new RedisNode(this.#settings, {
      ...{ address, locate: async () => address, sharded: true },
      onTrouble: learn,
      onMoved: (channel, redirect) => {
        this.#channels.dropped(channel);
        if (redirect !== undefined) this.redirected(redirect, node);
        learn();
      },
    });
    this.#nodes.set(name, node);
    node.subscriptions.onGap(this.#channels.onGap);
    node.commands.start();
    return node;
  }
}

async function view(connection: RedisConnection, asked: string): Promise<View> {
  const [info, slots] = await Promise.all([
    connection.send(['CLUSTER', 'INFO']),
    connection.send(['CLUSTER', 'SLOTS']),
  ]);
  const epoch = Number(/^cluster_current_epoch:(\d+)/m.exec(String(info))?.[1] ?? 0);
  return { epoch, ranges: parseSlots(slots, asked) };
}

/** The same with the setting that names nodes, where another one would be looked at. */
function ofNode(at: Place, error: unknown): unknown {
  const diagnosis = diagnose(error);
  const isAway = diagnosis === diagnoses.ECONNREFUSED || diagnosis === diagnoses.ENOTFOUND;
  return isAway ? new UnreachedServerError(nameOf(at), 'REDIS_CLUSTER_NODES', error) : error;
}
