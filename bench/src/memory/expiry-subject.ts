import type { Clock } from 'holdfast';
import { InMemorySessionStore } from 'holdfast/memory';
import type { Figures } from '../figures.ts';
import { collectYoungGarbage, cpuTimePerOperation } from '../measuring.ts';
import type { Measure, Subject } from '../subject.ts';

export interface ExpirySubjectOptions {
  /** Sessions that stay. */
  readonly lasting: number;
  /** The most sessions that expire at a time, besides. */
  readonly expiring: number;
}

const idleTimeoutMs = 30 * 60_000;

/** A clock that can be stepped, and whose timers never fire: nothing is cleaned unasked. */
class SteppedClock implements Clock {
  stepMs = 0;
  now = () => Date.now() + this.stepMs;
  monotonic = () => performance.now();
  setTimer = () => () => {};
}

/** A store in which some sessions have expired and the others have not. */
export class ExpirySubject implements Subject {
  readonly #clock: SteppedClock;
  readonly #store: InMemorySessionStore;

  private constructor(clock: SteppedClock, store: InMemorySessionStore) {
    this.#clock = clock;
    this.#store = store;
  }

  static async create({ lasting, expiring }: ExpirySubjectOptions): Promise<ExpirySubject> {
    const clock = new SteppedClock();
    const store = new InMemorySessionStore({
      maxSessions: lasting + expiring,
      idleTimeoutMs,
      clock,
    });
    for (let index = 0; index < lasting; index += 1) await store.create(`lasting-${index}`);
    return new ExpirySubject(clock, store);
  }

  async measure(measure: Measure, count: number): Promise<Figures> {
    if (measure !== 'cleanup') throw new Error(`Sessions that expire have no measure ${measure}.`);
    this.#clock.stepMs = -idleTimeoutMs;
    const ids = Array.from({ length: count }, (_, index) => `expiring-${index}`);
    for (const id of ids) await this.#store.create(id);
    this.#clock.stepMs = 0;
    collectYoungGarbage();
    return cpuTimePerOperation(ids, async () => {
      const removed = await this.#store.cleanupExpired();
      if (removed !== count) throw new Error(`${removed} of ${count} sessions were cleaned up.`);
    });
  }

  async stop(): Promise<void> {
    await this.#store.close();
  }
}
