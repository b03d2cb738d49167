import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFailed, onTestFinished } from 'vitest';
import { type FaultKind, FaultPlan, type FlakySettings } from './fault-plan.ts';
import { FlakyConnection, type OneShot } from './flaky-connection.ts';

export type { FaultKind, FlakySettings } from './fault-plan.ts';

/** Which requests a fault is for: each is given as it stands on the wire. */
export type Matching = (request: Buffer) => boolean;

/** A way to the Redis on a port of 127.0.0.1 on which things go wrong. Clients must speak RESP 3. */
export class FlakyProxy implements AsyncDisposable {
  readonly port: number;
  readonly #plan: FaultPlan;
  readonly #server: Server;
  readonly #connections = new Set<FlakyConnection>();
  #oneShots: OneShot[] = [];
  #isRefusing = false;

  private constructor(server: Server, targetPort: number, settings: FlakySettings) {
    this.#plan = new FaultPlan(settings);
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (client: Socket) => this.#accept(client, targetPort));
  }

  static async start(targetPort: number, settings: FlakySettings): Promise<FlakyProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FlakyProxy(server, targetPort, settings);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** With it, a connection with the same number and the same traffic meets the same faults. */
  get seed(): number {
    return this.#plan.seed;
  }

  /** How many there were of each kind, those asked for included. */
  get faults(): Readonly<Record<FaultKind, number>> {
    return this.#plan.counts;
  }

  /**
   * From now on no faults but those asked for, or, with `false`, faults again. A black hole that is
   * there remains one.
   */
  healthy(isHealthy = true): void {
    this.#plan.isHealthy = isHealthy;
  }

  /**
   * Cuts the connection of the next such request when the server has done it, in place of the reply.
   *
   * @returns when it happened
   */
  cutNextReply(matching: Matching = () => true): Promise<void> {
    return this.#once('cutBeforeReply', matching);
  }

  /**
   * Swallows the reply to the next such request, and everything after it, when the server has done it.
   *
   * @returns when it happened
   */
  swallowNextReply(matching: Matching = () => true): Promise<void> {
    return this.#once('blackHole', matching);
  }

  /** New connections are reset at once; those that are there remain. */
  refuse(): void {
    this.#isRefusing = true;
  }

  accept(): void {
    this.#isRefusing = false;
  }

  /** Resolves when no socket and no timer is left. */
  async close(): Promise<void> {
    this.refuse();
    for (const connection of this.#connections) connection.destroy();
    if (this.#server.listening) {
      this.#server.close();
      await once(this.#server, 'close');
    }
    await Promise.all([...this.#connections].map(({ closed }) => closed));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #once(kind: OneShot['kind'], matching: Matching): Promise<void> {
    return new Promise((resolve) => {
      const happened = () => {
        this.#plan.counts[kind] += 1;
        resolve();
      };
      this.#oneShots.push({ kind, matching, happened });
    });
  }

  #accept(client: Socket, targetPort: number): void {
    if (this.#isRefusing) {
      client.on('error', () => {}).resetAndDestroy();
      return;
    }
    const connection = new FlakyConnection({
      client,
      server: connect(targetPort, '127.0.0.1'),
      plan: this.#plan,
      takeOneShot: (request) => this.#takeOneShot(request),
      giveBack: (oneShot) => this.#oneShots.unshift(oneShot),
    });
    this.#connections.add(connection);
    connection.closed.then(() => this.#connections.delete(connection));
  }

  #takeOneShot(request: Buffer): OneShot | undefined {
    const index = this.#oneShots.findIndex(({ matching }) => matching(request));
    return index === -1 ? undefined : this.#oneShots.splice(index, 1)[0];
  }
}

/** One for the test that asks: it goes with it, and its seed is told when it fails. */
export async function flakyProxyForTest(
  targetPort: number,
  settings: FlakySettings,
): Promise<FlakyProxy> {
  const proxy = await FlakyProxy.start(targetPort, settings);
  onTestFailed(() => console.error(`The flaky proxy had FLAKY_SEED=${proxy.seed}`));
  onTestFinished(() => proxy.close());
  return proxy;
}
