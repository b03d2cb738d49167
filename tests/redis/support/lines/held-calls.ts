import { connectNodeRedis } from '../../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import type {
  ConnectRedis,
  RedisArgument,
} from '../../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { scripts } from '../../../../packages/holdfast/src/lib/redis/scripts/scripts.ts';

interface Hold {
  readonly matches: (args: readonly RedisArgument[]) => boolean;
  readonly reached: () => void;
  readonly gone: Promise<void>;
}

/** Holds one call up on its way to Redis, and no other. */
export class HeldCalls {
  #next: Hold | undefined;

  readonly connect: ConnectRedis = async (address, purpose, signal) => {
    const connection = await connectNodeRedis(address, purpose, signal);
    const send = connection.send.bind(connection);
    connection.send = async (args) => {
      const hold = this.#next;
      if (hold?.matches(args)) {
        this.#next = undefined;
        hold.reached();
        await hold.gone;
      }
      return send(args);
    };
    return connection;
  };

  /**
   * Holds the next call of this script with these words among its own.
   *
   * @returns `reached`, when it has come, and `release`, which lets it go on
   */
  hold(
    script: keyof typeof scripts,
    ...words: readonly string[]
  ): { reached: Promise<void>; release: () => void } {
    let reach = () => {};
    let release = () => {};
    const reached = new Promise<void>((resolve) => {
      reach = resolve;
    });
    const gone = new Promise<void>((resolve) => {
      release = resolve;
    });
    const all = [scripts[script].sha1, ...words];
    this.#next = {
      matches: (args) => all.every((word) => args.includes(word)),
      reached: () => reach(),
      gone,
    };
    return { reached, release: () => release() };
  }
}
