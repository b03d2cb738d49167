import { SessionManager } from 'holdfast';
import { RedisSessionStore } from 'holdfast/redis';
import type { Figures } from '../figures.ts';
import { concurrently } from '../measuring.ts';
import { plainTurn } from '../plain-turn.ts';
import type { Measure, Subject } from '../subject.ts';

export interface WritersSubjectOptions {
  readonly url: string;
  readonly session: string;
  readonly writers: number;
}

/** Writers of one session on somebody's Redis, some of those who want it. */
export class WritersSubject implements Subject {
  readonly #manager: SessionManager;
  readonly #session: string;
  readonly #writers: number;
  readonly #asked: Promise<void>[] = [];

  private constructor(manager: SessionManager, { session, writers }: WritersSubjectOptions) {
    this.#manager = manager;
    this.#session = session;
    this.#writers = writers;
  }

  static async create(options: WritersSubjectOptions): Promise<WritersSubject> {
    const store = await RedisSessionStore.connect({ url: options.url, l1: {} });
    return new WritersSubject(new SessionManager({ store }), options);
  }

  async measure(measure: Measure, count: number): Promise<Figures> {
    switch (measure) {
      case 'inSequence':
        await concurrently(count, 1, () => this.#manager.turn(this.#session, plainTurn));
        return {};
      case 'contended':
        await concurrently(count, this.#writers, () =>
          this.#manager.turn(this.#session, plainTurn),
        );
        return {};
      case 'ask':
        // Here `count` is the place in the order of asking; the turn leaves it in the history.
        this.#asked.push(
          this.#manager.turn(this.#session, (turn) => {
            turn.append({ role: 'user', content: count });
          }),
        );
        return {};
      case 'await':
        await Promise.all(this.#asked.splice(0));
        return {};
      default:
        throw new Error(`Writers of one session have no measure ${measure}.`);
    }
  }

  async stop(): Promise<void> {
    await this.#manager.store.close();
  }
}
