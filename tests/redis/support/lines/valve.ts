import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/**
 * A way to a Redis that can be shut: then nothing goes through in either direction, and nobody is
 * told. What was held up goes through when it is opened again.
 */
export class Valve {
  readonly url: string;
  isShut = false;
  readonly #sockets = new Set<Socket>();

  private constructor(url: string) {
    this.url = url;
  }

  /** Ends with the test. */
  static async to(port: number): Promise<Valve> {
    const listener = createServer((client) => valve.#join(client, connect(port, '127.0.0.1')));
    await once(listener.listen(0, '127.0.0.1'), 'listening');
    const valve = new Valve(`redis://127.0.0.1:${(listener.address() as AddressInfo).port}`);
    onTestFinished(() => {
      listener.close();
      for (const socket of valve.#sockets) socket.destroy();
    });
    return valve;
  }

  shut(): void {
    this.isShut = true;
    for (const socket of this.#sockets) socket.pause();
  }

  open(): void {
    this.isShut = false;
    for (const socket of this.#sockets) socket.resume();
  }

  #join(client: Socket, server: Socket): void {
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on('error', () => {});
      from.on('data', (chunk) => to.write(chunk));
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      if (this.isShut) from.pause();
    }
  }
}
