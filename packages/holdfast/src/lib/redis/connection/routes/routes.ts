import type { RedisNode } from '../nodes/redis-node.ts';

/** Which server has what: one has all, or each of several its slots. */
export interface Routes {
  /** Whether keys and channels belong to slots. */
  readonly isSharded: boolean;
  /** Every server that takes writes. */
  readonly nodes: Iterable<RedisNode>;
  /** @param key undefined for what any server can answer */
  nodeFor(key: string | undefined): RedisNode;
  /**
   * What a `MOVED` or `ASK` reply says, remembered if it is `MOVED`.
   * @returns the node that it names; null where servers have no business to say so
   */
  redirected(message: string, by: RedisNode): RedisNode | null;
  subscribe(channel: string, listener: (message: Buffer) => void): Promise<() => void>;
  /**
   * Finds the servers and connects to them. @param deadline by `performance.now()`
   * @throws what went wrong, as the client library throws it
   */
  open(deadline: number): Promise<void>;
  close(why: Error): Promise<void>;
}
