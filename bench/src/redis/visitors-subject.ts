import { setTimeout } from 'node:timers/promises';
import { SessionManager } from 'holdfast';
import { RedisSessionStore } from 'holdfast/redis';
import type { Figures } from '../figures.ts';
import { concurrently } from '../measuring.ts';
import { zipfPicker } from '../memory/random.ts';
import { plainTurn } from '../plain-turn.ts';
import type { Measure, Subject } from '../subject.ts';
import { idsOf } from './sample-sessions.ts';

export interface VisitorsSubjectOptions {
  readonly url: string;
  readonly sessions: number;
  readonly keyPrefix: string;
  /** What the instance keeps; nothing unless given. */
  readonly l1?:
    | { readonly size: number; readonly ttlMs?: number; readonly stalenessMs?: number }
    | undefined;
  readonly seed: number;
}

const atOnce = 8;
const pauseMs = 10;
const turnShare = 0.05;

/** One of the processes of `TrafficSubject`. */
export class VisitorsSubject implements Subject {
  readonly #sessions: SessionManager;
  readonly #next: () => { readonly id: string; readonly share: number };

  private constructor(sessions: SessionManager, { sessions: count, seed }: VisitorsSubjectOptions) {
    this.#sessions = sessions;
    this.#next = zipfPicker(idsOf(count), seed);
  }

  static async create(options: VisitorsSubjectOptions): Promise<VisitorsSubject> {
    const { url, l1, keyPrefix } = options;
    const store = await RedisSessionStore.connect({ url, keyPrefix, l1 });
    return new VisitorsSubject(new SessionManager({ store }), options);
  }

  async measure(measure: Measure, count: number): Promise<Figures> {
    const { store } = this.#sessions;
    const before = await store.getStats();
    if (measure === 'visits') await concurrently(count, atOnce, this.#visit);
    else if (measure === 'quietVisits') await concurrently(count, 1, this.#quietVisit);
    else throw new Error(`Visitors have no measure ${measure}.`);
    const after = await store.getStats();
    const hits = after.l1CacheHits - before.l1CacheHits;
    const misses = after.l1CacheMisses - before.l1CacheMisses;
    return { hits: hits === 0 ? 0 : (100 * hits) / (hits + misses) };
  }

  readonly #visit = async (): Promise<void> => {
    const { id, share } = this.#next();
    if (share < turnShare) await this.#sessions.turn(id, plainTurn);
    else await this.#sessions.store.get(id);
  };

  readonly #quietVisit = async (): Promise<void> => {
    await setTimeout(pauseMs);
    await this.#visit();
  };

  async stop(): Promise<void> {
    await this.#sessions.close();
  }
}
