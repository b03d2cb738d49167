import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { FrameReader, isPush } from './resp-frames.ts';

function request(...words: string[]): Buffer {
  const bulks = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return Buffer.from(`*${words.length}\r\n${bulks.join('')}`);
}

/** A RESP 3 connection that shows every byte. Closed when the test ends. */
export class RespClient {
  readonly pushes: string[] = [];
  /** How much has come, whole replies or not. */
  bytes = 0;
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #waiting: { resolve(reply: string): void; reject(error: Error): void }[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    const replies = new FrameReader();
    socket.on('data', (chunk) => {
      this.bytes += chunk.length;
      for (const frame of replies.push(chunk)) this.#receive(frame);
    });
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        for (const { reject } of this.#waiting.splice(0)) reject(new Error('Connection closed.'));
        resolve();
      });
    });
  }

  /** Ready before HELLO: what is sent first is the test's choice. */
  static async connect(port: number): Promise<RespClient> {
    const socket = connect(port, '127.0.0.1');
    const client = new RespClient(socket);
    onTestFinished(() => client.close());
    await once(socket, 'connect');
    return client;
  }

  /** The reply as it stands on the wire. */
  send(...words: string[]): Promise<string> {
    const reply = new Promise<string>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
    this.#socket.write(request(...words));
    return reply;
  }

  /** As a process that crashed, or a firewall. */
  async reset(): Promise<void> {
    this.#socket.resetAndDestroy();
    await this.closed;
  }

  async close(): Promise<void> {
    this.#socket.destroy();
    await this.closed;
  }

  #receive(frame: Buffer): void {
    if (isPush(frame)) this.pushes.push(frame.toString());
    else this.#waiting.shift()?.resolve(frame.toString());
  }
}
