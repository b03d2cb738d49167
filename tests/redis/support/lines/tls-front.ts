import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { createServer } from 'node:tls';
import { onTestFinished } from 'vitest';

/** A way into a server by TLS alone, at another address, as a load balancer or a container's host has it. */
export class TlsFront {
  readonly port: number;
  #connections = 0;

  private constructor(port: number) {
    this.port = port;
  }

  static async before(port: number, files: { cert: string; key: string }): Promise<TlsFront> {
    const listener = createServer({ cert: files.cert, key: files.key }, (client) => {
      front.#connections += 1;
      const server = connect(port, '127.0.0.1');
      client.pipe(server).pipe(client);
      client.on('error', () => server.destroy()).on('close', () => server.destroy());
      server.on('error', () => client.destroy()).on('close', () => client.destroy());
    });
    await once(listener.listen(0, '127.0.0.1'), 'listening');
    const front = new TlsFront((listener.address() as AddressInfo).port);
    onTestFinished(() => void listener.close());
    return front;
  }

  /** How many there were. */
  get connections(): number {
    return this.#connections;
  }
}
