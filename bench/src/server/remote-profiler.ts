import { once } from 'node:events';
import type { Profiler } from 'node:inspector/promises';
import { WebSocket } from 'undici';

interface Reply {
  readonly id: number;
  readonly result: unknown;
}

/** V8's CPU profiler in another process that runs under `--inspect`. */
export class RemoteProfiler {
  readonly #socket: WebSocket;
  #calls = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** @param port where that process waits for an inspector, on this machine */
  static async connect(port: number): Promise<RemoteProfiler> {
    const response = await fetch(`http://127.0.0.1:${port}/json/list`);
    const [target] = (await response.json()) as readonly { webSocketDebuggerUrl: string }[];
    if (target === undefined) throw new Error('The process has nothing to inspect.');
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    await once(socket, 'open');
    return new RemoteProfiler(socket);
  }

  async during(work: () => Promise<unknown>): Promise<Profiler.Profile> {
    await this.#call('Profiler.enable');
    await this.#call('Profiler.setSamplingInterval', { interval: 100 });
    await this.#call('Profiler.start');
    await work();
    const { profile } = (await this.#call('Profiler.stop')) as { profile: Profiler.Profile };
    return profile;
  }

  close(): void {
    this.#socket.close();
  }

  /** One at a time. */
  async #call(method: string, params: object = {}): Promise<unknown> {
    this.#calls += 1;
    const id = this.#calls;
    this.#socket.send(JSON.stringify({ id, method, params }));
    for (;;) {
      const [{ data }] = (await once(this.#socket, 'message')) as [{ data: string }];
      const reply = JSON.parse(data) as Reply;
      if (reply.id === id) return reply.result;
    }
  }
}
