import { setTimeout } from 'node:timers/promises';
import { type Clock, systemClock } from 'holdfast';
import { RedisSessionStore } from 'holdfast/redis';
import type { Figures } from '../figures.ts';
import { collectYoungGarbage, loadOf } from '../measuring.ts';
import type { Measure, Subject } from '../subject.ts';
import { MeasuredServer } from './measured-server.ts';
import { createAll, idsOf, smallSession } from './sample-sessions.ts';

export interface NamespaceSubjectOptions {
  /** Sessions that stay. */
  readonly lasting: number;
  readonly stateBytes: number;
}

const day = 24 * 60 * 60_000;
/** It does not matter that the first have expired before the last are there: nothing removes them. */
const shortIdleMs = 1_000;

/** Its timers never fire: nothing is cleaned up unasked. */
const stillClock: Clock = { ...systemClock, setTimer: () => () => {} };

/** A namespace with many sessions in it, none of them in use. */
export class NamespaceSubject implements Subject {
  readonly #server: MeasuredServer;
  readonly #lasting: RedisSessionStore;
  readonly #expiring: RedisSessionStore;
  readonly #options: NamespaceSubjectOptions;

  private constructor(
    server: MeasuredServer,
    lasting: RedisSessionStore,
    expiring: RedisSessionStore,
    options: NamespaceSubjectOptions,
  ) {
    this.#server = server;
    this.#lasting = lasting;
    this.#expiring = expiring;
    this.#options = options;
  }

  static async create(options: NamespaceSubjectOptions): Promise<NamespaceSubject> {
    const server = await MeasuredServer.start();
    const common = { url: server.url, clock: stillClock };
    const lasting = await RedisSessionStore.connect({ ...common, idleTimeoutMs: day });
    const expiring = await RedisSessionStore.connect({ ...common, idleTimeoutMs: shortIdleMs });
    const subject = new NamespaceSubject(server, lasting, expiring, options);
    await createAll(lasting, idsOf(options.lasting), subject.#session);
    return subject;
  }

  async measure(measure: Measure, count: number): Promise<Figures> {
    collectYoungGarbage();
    switch (measure) {
      case 'countActive':
      case 'getStats':
        return this.#server.during(count, () => loadOf(count, 1, () => this.#lasting[measure]()));
      case 'cleanup':
        return this.#cleanup(count);
      default:
        throw new Error(`A namespace at rest has no measure ${measure}.`);
    }
  }

  async stop(): Promise<void> {
    await this.#lasting.close();
    await this.#expiring.close();
    await this.#server.stop();
  }

  async #cleanup(count: number): Promise<Figures> {
    const ids = Array.from({ length: count }, (_, index) => `expiring-${index}`);
    await createAll(this.#expiring, ids, this.#session);
    await setTimeout(shortIdleMs + 1);
    collectYoungGarbage();
    return this.#server.during(count, async () => {
      const begin = performance.now();
      const removed = await this.#lasting.cleanupExpired();
      const elapsedMs = performance.now() - begin;
      if (removed !== count) throw new Error(`${removed} of ${count} sessions were cleaned up.`);
      return { time: (elapsedMs / count) * 1e6 };
    });
  }

  readonly #session = (id: string) => smallSession(id, this.#options.stateBytes);
}
