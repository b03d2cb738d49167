import type { RedisReply } from '../redis-connection.ts';

/**
 * The sharded channels of one connection of node-redis. When a slot leaves its server while a command waits, node-redis
 * takes the server's word of it for that command's reply: the subscription is gone, and nobody hears of it. So commands go
 * when those before them are done, all that wait at once, and after them the server is asked how many channels it knows;
 * where those are not these, the connection ends, and whoever needs it subscribes anew. However many channels a new
 * connection takes over, that is two round trips.
 */
export class ShardedChannels {
  readonly #ask: () => Promise<RedisReply>;
  readonly #end: (why: Error) => void;
  readonly #channels = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();
  /** Commands that go together when the last ones are done. */
  #next: Batch | undefined;

  constructor(askClientInfo: () => Promise<RedisReply>, end: (why: Error) => void) {
    this.#ask = askClientInfo;
    this.#end = end;
  }

  get size(): number {
    return this.#channels.size;
  }

  add(channel: string): void {
    this.#channels.add(channel);
  }

  delete(channel: string): void {
    this.#channels.delete(channel);
  }

  /** Runs a command after those before it, and looks whether a subscription was lost meanwhile. */
  async beside<Result>(command: () => Promise<Result>): Promise<Result> {
    const { commands, done } = this.#next ?? this.#begin();
    return new Promise<Result>((resolve, reject) => {
      commands.push(async () => {
        const [result] = await Promise.allSettled([command()]);
        done.then(() => {
          if (result.status === 'fulfilled') resolve(result.value);
          else reject(result.reason);
        }, reject);
      });
    });
  }

  #begin(): Batch {
    const commands: Batch['commands'] = [];
    const done = this.#last.then(async () => {
      this.#next = undefined;
      await Promise.all(commands.map((command) => command()));
      await this.#compare();
    });
    this.#last = done.catch(() => {});
    this.#next = { commands, done };
    return this.#next;
  }

  async #compare(): Promise<void> {
    const known = await this.#ask().then(countOf, (error: unknown) => {
      // Who may not ask relies on the other signs of a move: redirected calls.
      return isForbidden(error) ? undefined : Number.NaN;
    });
    if (known === undefined || known === this.#channels.size) return;
    this.#end(new Error('The server has ended a subscription while a command waited.'));
  }
}

interface Batch {
  readonly commands: (() => Promise<void>)[];
  readonly done: Promise<void>;
}

/** Undefined before Redis 7.0.3, which does not tell. */
function countOf(clientInfo: RedisReply): number | undefined {
  const count = / ssub=(\d+)/.exec(String(clientInfo))?.[1];
  return count === undefined ? undefined : Number(count);
}

function isForbidden(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOPERM');
}
