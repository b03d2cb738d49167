import { type NodeSettings, RedisNode } from '../nodes/redis-node.ts';
import type { RedisAddress } from '../redis-address.ts';
import type { Routes } from './routes.ts';

/** One server, which has all keys: always at the same address. */
export class OneServer implements Routes {
  readonly isSharded = false;
  readonly nodes: readonly RedisNode[];
  readonly #node: RedisNode;

  constructor(settings: NodeSettings, address: RedisAddress) {
    this.#node = new RedisNode(settings, { address, locate: async () => address });
    this.nodes = [this.#node];
  }

  nodeFor(): RedisNode {
    return this.#node;
  }

  redirected(): null {
    return null;
  }

  subscribe(channel: string, listener: (message: Buffer) => void): Promise<() => void> {
    return this.#node.subscriptions.subscribe(channel, listener);
  }

  open(deadline: number): Promise<void> {
    return this.#node.commands.open(deadline - performance.now());
  }

  close(why: Error): Promise<void> {
    return this.#node.close(why);
  }
}
