import { setTimeout } from 'node:timers/promises';
import { SessionManager } from 'holdfast';
import { RedisSessionStore } from 'holdfast/redis';
import type { Figures } from '../figures.ts';
import type { Begin, Measure, OptionsOf, Subject } from '../subject.ts';
import { MeasuredServer } from './measured-server.ts';
import { sampleSession } from './sample-sessions.ts';
import type { WritersSubjectOptions } from './writers-subject.ts';

export interface OneSessionSubjectOptions {
  readonly processes: number;
  readonly writers: number;
  readonly stateBytes: number;
}

const session = 'session-wanted';

/** A session that writers in several processes want, and the Redis that it is on. */
export class OneSessionSubject implements Subject {
  readonly #server: MeasuredServer;
  readonly #manager: SessionManager;
  readonly #processes: readonly Subject[];

  private constructor(
    server: MeasuredServer,
    manager: SessionManager,
    processes: readonly Subject[],
  ) {
    this.#server = server;
    this.#manager = manager;
    this.#processes = processes;
  }

  static async create(
    { processes, writers, stateBytes }: OneSessionSubjectOptions,
    begin: Begin<OptionsOf<'writers', WritersSubjectOptions>>,
  ): Promise<OneSessionSubject> {
    const server = await MeasuredServer.start();
    const { url } = server;
    const store = await RedisSessionStore.connect({ url });
    await store.create(session, sampleSession(session, stateBytes));
    const options = { kind: 'writers', url, session, writers: writers / processes } as const;
    const running: Subject[] = [];
    for (let process = 0; process < processes; process += 1) running.push(await begin(options));
    return new OneSessionSubject(server, new SessionManager({ store }), running);
  }

  async measure(measure: Measure, count: number): Promise<Figures> {
    const [first] = this.#processes;
    switch (measure) {
      case 'inSequence':
        return this.#timed(count, async () => first?.measure('inSequence', count));
      case 'contended': {
        const share = count / this.#processes.length;
        return this.#timed(count, () =>
          Promise.all(this.#processes.map((process) => process.measure('contended', share))),
        );
      }
      case 'order':
        return { misplaced: await this.#misplaced(count) };
      default:
        throw new Error(`A session that many want has no measure ${measure}.`);
    }
  }

  async stop(): Promise<void> {
    for (const process of this.#processes) await process.stop();
    await this.#manager.store.close();
    await this.#server.stop();
  }

  #timed(count: number, work: () => Promise<unknown>): Promise<Figures> {
    return this.#server.during(count, async () => {
      const begin = performance.now();
      await work();
      const elapsedMs = performance.now() - begin;
      return { rate: (count / elapsedMs) * 1e3, time: (elapsedMs / count) * 1e6 };
    });
  }

  /**
   * While a turn holds the session, `count` writers ask for it, in turn from each process, and each
   * only when the one before stands in the queue: so Redis knows one order, which must be that of
   * the messages. @returns how many messages are not in their place
   */
  async #misplaced(count: number): Promise<number> {
    const held = signal();
    const released = signal();
    const holding = this.#manager.turn(session, () => {
      held.give();
      return released.given;
    });
    await Promise.race([held.given, holding]);
    try {
      for (let place = 0; place < count; place += 1) {
        await this.#processes[place % this.#processes.length]?.measure('ask', place);
        while ((await this.#manager.store.getStats()).waiters <= place) await setTimeout(1);
      }
    } finally {
      released.give();
    }
    await holding;
    await Promise.all(this.#processes.map((process) => process.measure('await', 0)));
    const messages = await this.#manager.store.messages(session, { limit: count });
    return count - messages.filter(({ content }, place) => content === place).length;
  }
}

function signal(): { readonly given: Promise<void>; readonly give: () => void } {
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give };
}
