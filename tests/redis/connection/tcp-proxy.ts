import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Between a client and a server, to lose what no server loses by itself. */
export class TcpProxy {
  readonly url: string;
  readonly #pairs = new Set<{ client: Socket; server: Socket }>();
  #loseReplies = false;

  private constructor(url: string) {
    this.url = url;
  }

  static async to(port: number): Promise<TcpProxy> {
    const listener = createServer((client) => proxy.#join(client, connect(port, '127.0.0.1')));
    await once(listener.listen(0, '127.0.0.1'), 'listening');
    const proxy = new TcpProxy(`redis://127.0.0.1:${(listener.address() as AddressInfo).port}`);
    onTestFinished(() => {
      listener.close();
      proxy.cut();
    });
    return proxy;
  }

  /** The next reply on any connection is lost, and its connection with it. */
  loseNextReply(): void {
    this.#loseReplies = true;
  }

  /** Present connections stay open and carry nothing more. */
  freeze(): void {
    for (const { client, server } of this.#pairs) {
      client.removeAllListeners('data').pause();
      server.removeAllListeners('data').pause();
    }
  }

  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
    this.#pairs.clear();
  }

  #join(client: Socket, server: Socket): void {
    const pair = { client, server };
    this.#pairs.add(pair);
    client.on('data', (chunk) => server.write(chunk));
    server.on('data', (chunk) => {
      if (this.#loseReplies) {
        this.#loseReplies = false;
        client.destroy();
      } else client.write(chunk);
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => {});
      one.on('close', () => {
        other.destroy();
        this.#pairs.delete(pair);
      });
    }
  }
}
