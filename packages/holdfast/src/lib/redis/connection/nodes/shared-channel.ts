import type { ChannelKind, RedisConnection } from '../redis-connection.ts';

export type Listener = (message: Buffer) => void;

/** One channel: its listeners here, and the one subscription at the server that serves them all. */
export class SharedChannel {
  readonly name: string;
  readonly listeners = new Set<Listener>();
  #on: RedisConnection | undefined;
  #settling: { connection: RedisConnection; done: Promise<void> } | undefined;

  readonly #kind: ChannelKind;

  constructor(name: string, kind: ChannelKind = 'plain') {
    this.name = name;
    this.#kind = kind;
  }

  /** The server has ended the subscription by itself. */
  dropped(): void {
    this.#on = undefined;
  }

  /** Whether the server at this connection's end has confirmed the subscription. */
  isOn(connection: RedisConnection): boolean {
    return this.#on === connection;
  }

  /** Whether it may be forgotten. */
  get isUnused(): boolean {
    return this.listeners.size === 0 && this.#settling === undefined;
  }

  /**
   * Brings the server to what the listeners want. One command at a time: what changes meanwhile is
   * seen when it is answered.
   */
  settle(connection: RedisConnection): Promise<void> {
    if (this.#settling?.connection === connection) return this.#settling.done;
    const settling = { connection, done: Promise.resolve() };
    this.#settling = settling;
    settling.done = this.#settle(connection, settling);
    return settling.done;
  }

  async #settle(connection: RedisConnection, settling: object): Promise<void> {
    try {
      while (this.listeners.size > 0 !== this.isOn(connection)) {
        if (this.listeners.size > 0) {
          await connection.subscribe(this.name, this.#kind);
          this.#on = connection;
        } else {
          this.#on = undefined;
          await connection.unsubscribe(this.name, this.#kind);
        }
      }
    } finally {
      // In the same step as the last look at the listeners: a later one starts anew.
      if (this.#settling === settling) this.#settling = undefined;
    }
  }
}
