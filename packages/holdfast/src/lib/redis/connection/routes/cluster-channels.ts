import type { RedisNode } from '../nodes/redis-node.ts';

type Listener = (message: Buffer) => void;

/** A subscription, and the node at which it is. */
interface Placed {
  readonly channel: string;
  readonly listener: Listener;
  /** Undefined while it is at none that can be relied on. */
  node: RedisNode | undefined;
  leave: () => void;
  ended: boolean;
}

/** Keeps each subscription at the node that has its channel's slot. */
export class ClusterChannels {
  /** Tells that messages may be missing. */
  readonly onGap: () => void;
  readonly #nodeFor: (channel: string) => RedisNode;
  readonly #placed = new Set<Placed>();
  #settling: Promise<boolean> | undefined;

  constructor(nodeFor: (channel: string) => RedisNode, onGap: () => void) {
    this.#nodeFor = nodeFor;
    this.onGap = onGap;
  }

  async subscribe(channel: string, listener: Listener): Promise<() => void> {
    const placed: Placed = { channel, listener, node: undefined, leave: () => {}, ended: false };
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
  settle(): Promise<boolean> {
    this.#settling ??= this.#settle().finally(() => {
      this.#settling = undefined;
    });
    return this.#settling;
  }

  close(): void {
    this.#placed.clear();
  }

  async #settle(): Promise<boolean> {
    const astray = [...this.#placed].filter((placed) => this.#isAstray(placed));
    if (astray.length === 0) return true;
    const moved = await Promise.allSettled(astray.map((placed) => this.#place(placed)));
    if (moved.some(({ status }) => status === 'fulfilled')) this.onGap();
    return ![...this.#placed].some((placed) => this.#isAstray(placed));
  }

  #isAstray({ channel, node }: Placed): boolean {
    return this.#nodeFor(channel) !== node;
  }

  async #place(placed: Placed): Promise<void> {
    const { channel, listener } = placed;
    while (this.#isAstray(placed)) {
      const node = this.#nodeFor(channel);
      try {
        const leave = await node.subscriptions.subscribe(channel, listener);
        placed.leave();
        placed.node = node;
        placed.leave = leave;
        if (placed.ended) leave();
      } catch (error) {
        // Tried at the next node, if there is one by now.
        if (this.#nodeFor(channel) === node) throw error;
      }
    }
  }
}
