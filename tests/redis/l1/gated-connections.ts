import { connectNodeRedis } from '../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import type { ConnectRedis } from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { scripts } from '../../../packages/holdfast/src/lib/redis/scripts/scripts.ts';
import { Gate } from '../../../packages/holdfast/src/lib/testing/suite/suite-context.ts';

/** An instance's connections: its calls counted, its messages swallowed, one of its replies held up. */
export class GatedConnections {
  /** Calls so far, but for those by which the instance asks for news by itself. */
  calls = 0;
  /** Swallows messages; the connection looks well otherwise. */
  isDeaf = false;
  /** Swallows only messages like this. */
  isDeafTo: RegExp | null = null;
  #hold:
    | { readonly script: string; readonly came: () => void; readonly gone: Promise<void> }
    | undefined;
  readonly #heard: string[] = [];
  readonly #waiting = new Set<() => void>();

  readonly connect: ConnectRedis = async (address, purpose, signal) => {
    const connection = await connectNodeRedis(address, purpose, signal);
    const send = connection.send.bind(connection);
    connection.send = async (args) => {
      if (purpose === 'commands' && args[1] !== scripts.news.sha1) this.calls += 1;
      const reply = await send(args);
      const hold = args[1] === this.#hold?.script ? this.#hold : undefined;
      if (hold !== undefined) {
        this.#hold = undefined;
        hold.came();
        await hold.gone;
      }
      return reply;
    };
    if (purpose === 'commands') return connection;
    let deliver: typeof connection.onMessage;
    Object.defineProperty(connection, 'onMessage', {
      get: () => (name: string, message: Buffer) => {
        if (this.isDeaf || this.isDeafTo?.test(message.toString())) return;
        deliver?.(name, message);
        this.#heard.push(message.toString());
        for (const tell of this.#waiting) tell();
      },
      set: (listener: typeof deliver) => {
        deliver = listener;
      },
    });
    return connection;
  };

  /** Holds the next reply to a read, or to another script, up on its way to the instance. */
  holdReply({ sha1: script } = scripts.read): { came: Promise<void>; release: () => void } {
    const [came, gone] = [new Gate(), new Gate()];
    this.#hold = { script, came: () => came.open(), gone: gone.promise };
    return { came: came.promise, release: () => gone.open() };
  }

  /** Resolves when such a message was delivered after this was called. */
  async heard(message: RegExp): Promise<void> {
    const from = this.#heard.length;
    while (!this.#heard.slice(from).some((one) => message.test(one))) {
      await new Promise<void>((resolve) => {
        const tell = () => {
          this.#waiting.delete(tell);
          resolve();
        };
        this.#waiting.add(tell);
      });
    }
  }
}
