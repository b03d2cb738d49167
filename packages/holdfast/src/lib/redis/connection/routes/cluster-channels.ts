import type { RedisNode } from '../nodes/redis-node.ts';
import { outside } from '../outside.ts';
import { Pauses } from '../pauses.ts';
import { isPassing } from '../redis-failure.ts';

type Listener = (message: Buffer) => void;

export interface ClusterChannelsOptions {
  readonly nodeFor: (channel: string) => RedisNode;
  /** For one subscription, wherever it leads, in milliseconds. */
  readonly timeoutMs: number;
  /** Tells that messages may be missing. */
  readonly onGap: () => void;
}

/** A subscription, and the node at which it is. */
interface Placed {
  readonly channel: string;
  readonly listener: Listener;
  /** Undefined while it is at none that can be relied on. */
  node: RedisNode | undefined;
  leave: () => void;
  ended: boolean;
  /** While it is brought to another node. */
  moving: Promise<void> | undefined;
}

/** Servers that each name the other one are not asked in turn as fast as they answer; in ms. */
const pauseMs = 20;

/** Keeps each subscription at the node that has its channel's slot. */
export class ClusterChannels {
  readonly onGap: () => void;
  readonly #options: ClusterChannelsOptions;
  readonly #placed = new Set<Placed>();
  readonly #pauses = new Pauses();
  #gap: NodeJS.Immediate | undefined;

  constructor(options: ClusterChannelsOptions) {
    this.#options = options;
    this.onGap = options.onGap;
  }

  async subscribe(channel: string, listener: Listener): Promise<() => void> {
    const placed: Placed = {
      ...{ channel, listener, node: undefined, moving: undefined },
      ...{ leave: () => {}, ended: false },
    };
    await this.#place(placed);
    this.#placed.add(placed);
    // It may have moved between the two.
    if (this.#isAstray(placed)) void this.settle();
    return () => {
      placed.ended = true;
      this.#placed.delete(placed);
      placed.leave();
    };
  }

  /** The channel's server has ended the subscription by itself. */
  dropped(channel: string): void {
    for (const placed of this.#placed) if (placed.channel === channel) placed.node = undefined;
  }

  /** Moves what is not where it belongs. @returns whether all is */
  async settle(): Promise<boolean> {
    const astray = [...this.#placed].filter((placed) => this.#isAstray(placed));
    await Promise.allSettled(astray.map((placed) => this.#move(placed)));
    return ![...this.#placed].some((placed) => this.#isAstray(placed));
  }

  close(): void {
    this.#placed.clear();
    this.#pauses.end();
    clearImmediate(this.#gap);
  }

  /** One that waits for a server that is away holds up no other. */
  #move(placed: Placed): Promise<void> {
    placed.moving ??= this.#place(placed)
      .then(() => this.#tellGap())
      .finally(() => {
        placed.moving = undefined;
      });
    return placed.moving;
  }

  /** Once for all that are there again at the same time. */
  #tellGap(): void {
    this.#gap ??= outside(() =>
      setImmediate(() => {
        this.#gap = undefined;
        this.onGap();
      }),
    );
  }

  #isAstray({ channel, node }: Placed): boolean {
    return this.#options.nodeFor(channel) !== node;
  }

  async #place(placed: Placed): Promise<void> {
    const { channel, listener } = placed;
    const { nodeFor, timeoutMs } = this.#options;
    const deadline = performance.now() + timeoutMs;
    while (this.#isAstray(placed)) {
      const node = nodeFor(channel);
      try {
        const leave = await node.subscriptions.subscribe(channel, listener, deadline);
        placed.leave();
        placed.node = node;
        placed.leave = leave;
        if (placed.ended) leave();
      } catch (error) {
        // Tried at the next node, if there is one by now, or when the cluster has come to itself.
        const mayPass =
          nodeFor(channel) !== node || (error instanceof Error && isPassing(error.cause));
        if (!mayPass || performance.now() >= deadline) throw error;
        await this.#pauses.wait(pauseMs);
      }
    }
  }
}
