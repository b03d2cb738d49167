import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A connection that trusts no client library: commands in, replies out, in order. */
export class RawClient {
  readonly #socket: Socket;
  readonly #waiting: { resolve(reply: string): void; reject(error: Error): void }[] = [];
  #received = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8').on('data', (text: string) => this.#receive(text));
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('Connection closed.'));
    });
  }

  /** Closed when the test ends. */
  static async connect(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => {
      socket.destroy();
    });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** The reply, ASCII only: a bulk string's content, any other as it stands on the wire. */
  send(...words: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#socket.write(`${words.join(' ')}\r\n`);
    });
  }

  #receive(text: string): void {
    this.#received += text;
    for (;;) {
      const [head, line = ''] = /^(.*)\r\n/.exec(this.#received) ?? [];
      if (head === undefined) return;
      const length = /^\$(\d+)$/.exec(line)?.[1];
      const body = length === undefined ? 0 : Number(length) + 2;
      if (this.#received.length < head.length + body) return;
      const bulk = this.#received.slice(head.length, head.length + body - 2);
      this.#received = this.#received.slice(head.length + body);
      this.#waiting.shift()?.resolve(length === undefined ? line : bulk);
    }
  }
}
