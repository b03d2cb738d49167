import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { LockTimeoutError } from 'holdfast';
import { RedisSessionStore } from 'holdfast/redis';
import type { Figures } from '../figures.ts';
import type { Measure, Subject } from '../subject.ts';
import { MeasuredServer } from './measured-server.ts';

export interface TroubleSubjectOptions {
  readonly leaseMs?: number;
  readonly timeoutMs?: number;
  readonly connectTimeoutMs?: number;
  /** How long a turn waits for those ahead of it. */
  readonly waitMs?: number;
}

const session = 'session-in-trouble';
/** A queue of so many turns, each of which takes so long, in ms. */
const queue = { turns: 20, workMs: 100 };

/** What those who wait notice of a holder that has died, and of a Redis that hangs. */
export class TroubleSubject implements Subject {
  readonly #server: MeasuredServer;
  readonly #store: RedisSessionStore;
  readonly #options: TroubleSubjectOptions;

  private constructor(
    server: MeasuredServer,
    store: RedisSessionStore,
    options: TroubleSubjectOptions,
  ) {
    this.#server = server;
    this.#store = store;
    this.#options = options;
  }

  static async create(options: TroubleSubjectOptions): Promise<TroubleSubject> {
    const server = await MeasuredServer.start();
    const { timeoutMs } = options;
    const store = await RedisSessionStore.connect({ url: server.url, timeoutMs });
    await store.create(session);
    return new TroubleSubject(server, store, options);
  }

  async measure(measure: Measure, count: number): Promise<Figures> {
    if (measure === 'queueing') return { refused: await this.#queueing() };
    const once = {
      ...{ takeover: this.#takeover, untilError: this.#untilError },
      untilNoStart: this.#untilNoStart,
    }[measure as string];
    if (once === undefined) throw new Error(`Trouble has no measure ${measure}.`);
    let elapsedMs = 0;
    for (let n = 0; n < count; n += 1) elapsedMs += await once();
    return { time: (elapsedMs / count) * 1e6 };
  }

  /** The holder never renews its lease, nor gives it up. */
  readonly #takeover = async (): Promise<number> => {
    const begin = () =>
      this.#store.begin(session, {
        ...{ nonce: randomUUID(), leaseMs: this.#options.leaseMs ?? 30_000 },
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

  /** Another process begins, and Redis hangs. */
  readonly #untilNoStart = async (): Promise<number> => {
    this.#server.freeze();
    const from = performance.now();
    try {
      const { connectTimeoutMs } = this.#options;
      await RedisSessionStore.connect({ url: this.#server.url, connectTimeoutMs });
      throw new TypeError('A Redis that hangs has answered.');
    } catch (error) {
      if (error instanceof TypeError) throw error;
      return performance.now() - from;
    } finally {
      this.#server.thaw();
      await this.#isBack();
    }
  };

  /** All at once for one session. @returns of 100 turns, those that waited in vain */
  async #queueing(): Promise<number> {
    const { waitMs = 60_000 } = this.#options;
    const turn = async (): Promise<boolean> => {
      try {
        const begun = await this.#store.begin(session, {
          ...{ nonce: randomUUID(), leaseMs: 30_000, onBusy: 'wait', waitMs },
        });
        await setTimeout(queue.workMs);
        if (begun.kind === 'granted') await this.#store.release(begun.lease);
        return false;
      } catch (error) {
        if (error instanceof LockTimeoutError) return true;
        throw error;
      }
    };
    const refused = await Promise.all(Array.from({ length: queue.turns }, turn));
    return (100 * refused.filter(Boolean).length) / queue.turns;
  }

  async #isBack(): Promise<void> {
    while (!(await this.#store.healthCheck()).healthy);
  }

  async stop(): Promise<void> {
    await this.#store.close();
    await this.#server.stop();
  }
}
