import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A connection that trusts no client library: commands in, replies out, in order. */
export class RawClient {
  readonly #socket: Socket;
  readonly #waiting: { resolve(reply: string): void; reject(error: Error): void }[] = [];
  #received = '';

  /** What is sent before it is connected goes out then. */
  constructor(port: number, host = '127.0.0.1') {
    const socket = connect(port, host);
    this.#socket = socket;
    socket.setEncoding('utf8').on('data', (text: string) => this.#receive(text));
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('Connection closed.'));
    });
  }

  /** Closed when the test ends. */
  static async connect(port: number): Promise<RawClient> {
    const client = new RawClient(port);
    onTestFinished(() => client.close());
    await once(client.#socket, 'connect');
    return client;
  }

  close(): void {
    this.#socket.destroy();
  }

  /**
   * The reply, ASCII only: a bulk string's content, an array's replies with spaces between them, any
   * other as it stands on the wire.
   */
  send(...words: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#socket.write(`${words.join(' ')}\r\n`);
    });
  }

  #receive(text: string): void {
    this.#received += text;
    for (let read = readReply(this.#received); read !== undefined; ) {
      this.#received = read.rest;
      this.#waiting.shift()?.resolve(read.reply);
      read = readReply(this.#received);
    }
  }
}

/** Undefined while the first reply is not all there. */
function readReply(received: string): { reply: string; rest: string } | undefined {
  const [head, line = ''] = /^(.*)\r\n/.exec(received) ?? [];
  if (head === undefined) return undefined;
  let rest = received.slice(head.length);
  const [, type, count] = /^([$*])(\d+)$/.exec(line) ?? [];
  if (type === undefined) return { reply: line, rest };
  if (type === '$') {
    const length = Number(count);
    if (rest.length < length + 2) return undefined;
    return { reply: rest.slice(0, length), rest: rest.slice(length + 2) };
  }
  const replies: string[] = [];
  while (replies.length < Number(count)) {
    const read = readReply(rest);
    if (read === undefined) return undefined;
    replies.push(read.reply);
    rest = read.rest;
  }
  return { reply: replies.join(' '), rest };
}
