import { randomUUID } from 'node:crypto';
import { RedisSessionStore } from 'holdfast/redis';
import type { Figures } from '../figures.ts';
import type { Measure, Subject } from '../subject.ts';
import { MeasuredServer } from './measured-server.ts';

export interface TroubleSubjectOptions {
  readonly leaseMs: number;
  readonly timeoutMs: number;
}

const session = 'session-in-trouble';

/** What those who wait notice of a holder that has died, and of a Redis that hangs. */
export class TroubleSubject implements Subject {
  readonly #server: MeasuredServer;
  readonly #store: RedisSessionStore;
  readonly #leaseMs: number;

  private constructor(server: MeasuredServer, store: RedisSessionStore, leaseMs: number) {
    this.#server = server;
    this.#store = store;
    this.#leaseMs = leaseMs;
  }

  static async create({ leaseMs, timeoutMs }: TroubleSubjectOptions): Promise<TroubleSubject> {
    const server = await MeasuredServer.start();
    const store = await RedisSessionStore.connect({ url: server.url, timeoutMs });
    await store.create(session);
    return new TroubleSubject(server, store, leaseMs);
  }

  async measure(measure: Measure, count: number): Promise<Figures> {
    const once = { takeover: this.#takeover, untilError: this.#untilError }[measure as string];
    if (once === undefined) throw new Error(`Trouble has no measure ${measure}.`);
    let elapsedMs = 0;
    for (let n = 0; n < count; n += 1) elapsedMs += await once();
    return { time: (elapsedMs / count) * 1e6 };
  }

  /** The holder never renews its lease, nor gives it up. */
  readonly #takeover = async (): Promise<number> => {
    const begin = () =>
      this.#store.begin(session, {
        ...{ nonce: randomUUID(), leaseMs: this.#leaseMs },
        ...{ onBusy: 'wait', waitMs: 60_000 },
      });
    await begin();
    const from = performance.now();
    const next = await begin();
    const elapsedMs = performance.now() - from;
    if (next.kind === 'granted') await this.#store.release(next.lease);
    return elapsedMs;
  };

  readonly #untilError = async (): Promise<number> => {
    this.#server.freeze();
    const from = performance.now();
    try {
      await this.#store.get(session);
      throw new TypeError('A Redis that hangs has answered.');
    } catch (error) {
      if (error instanceof TypeError) throw error;
      return performance.now() - from;
    } finally {
      this.#server.thaw();
      await this.#isBack();
    }
  };

  async #isBack(): Promise<void> {
    while (!(await this.#store.healthCheck()).healthy);
  }

  async stop(): Promise<void> {
    await this.#store.close();
    await this.#server.stop();
  }
}
