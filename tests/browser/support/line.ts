import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { onTestFinished } from 'vitest';

/** The network between a browser and a server, which a test can cut. */
export class Line {
  readonly address: string;
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  #held: { readonly start: string; readonly until: Promise<void> } | null = null;

  private constructor(address: string) {
    this.address = address;
  }

  static async to(server: string): Promise<Line> {
    const port = Number(new URL(server).port);
    const listener = createServer((client) => line.#join(client, port));
    await once(listener.listen(0, '127.0.0.1'), 'listening');
    const line = new Line(`http://localhost:${(listener.address() as AddressInfo).port}`);
    onTestFinished(() => {
      listener.close();
      line.breakConnections();
    });
    return line;
  }

  /** Ends what is open; what is opened next works. */
  breakConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** From now on nothing gets through. */
  cut(): void {
    this.#isCut = true;
    this.breakConnections();
  }

  mend(): void {
    this.#isCut = false;
  }

  /** Keeps requests back that begin so, until they are let go: who hangs up before that has sent none. */
  hold(start: string): () => void {
    let letGo = () => {};
    const until = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    this.#held = { start, until };
    return letGo;
  }

  #join(client: Socket, port: number): void {
    if (this.#isCut) {
      client.destroy();
      return;
    }
    const server = connect(port, '127.0.0.1');
    const way = new Transform({
      transform: async (bytes: Buffer, _, arrive) => {
        const held = this.#held;
        if (held !== null && bytes.toString().startsWith(held.start)) await held.until;
        arrive(null, bytes);
      },
    });
    client.pipe(way).pipe(server).pipe(client);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}
