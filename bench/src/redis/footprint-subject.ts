import { SessionManager } from 'holdfast';
import { RedisSessionStore } from 'holdfast/redis';
import type { Figures } from '../figures.ts';
import { concurrently } from '../measuring.ts';
import type { Measure, Subject } from '../subject.ts';
import { MeasuredServer } from './measured-server.ts';
import { createAll, idsOf, sampleSession, stateJson } from './sample-sessions.ts';

export interface FootprintSubjectOptions {
  readonly turns: number;
  readonly messageBytes: number;
  readonly stateBytes: number;
}

const atOnce = 50;

/** What sessions take in the memory of a Redis, and what their data would take by itself, as JSON. */
export class FootprintSubject implements Subject {
  readonly #server: MeasuredServer;
  readonly #options: FootprintSubjectOptions;
  readonly #content: string;

  private constructor(server: MeasuredServer, options: FootprintSubjectOptions) {
    this.#server = server;
    this.#options = options;
    this.#content = 'm'.repeat(options.messageBytes);
  }

  static async create(options: FootprintSubjectOptions): Promise<FootprintSubject> {
    return new FootprintSubject(await MeasuredServer.start(), options);
  }

  async measure(measure: Measure, count: number): Promise<Figures> {
    switch (measure) {
      case 'stored':
        return { bytes: (await this.#stored(count, false)) / count };
      case 'storedKeyed':
        return { bytes: (await this.#stored(count, true)) / count };
      case 'data':
        return { bytes: this.#data(count, false) / count };
      case 'dataKeyed':
        return { bytes: this.#data(count, true) / count };
      default:
        throw new Error(`The memory of sessions has no measure ${measure}.`);
    }
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }

  /** By how much the server grows when so many sessions have had their turns. */
  async #stored(count: number, keyed: boolean): Promise<number> {
    await this.#server.forgetAll();
    const store = await RedisSessionStore.connect({ url: this.#server.url });
    try {
      const manager = new SessionManager({ store });
      const ids = idsOf(count);
      const before = await this.#server.memory();
      await createAll(store, ids, (id) => sampleSession(id, this.#options.stateBytes));
      await concurrently(count * this.#options.turns, atOnce, (index) => {
        const id = ids[index % count] ?? '';
        return this.#turn(manager, id, keyed ? keyOf(Math.floor(index / count)) : undefined);
      });
      return (await this.#server.memory()) - before;
    } finally {
      await store.close();
    }
  }

  #turn(manager: SessionManager, id: string, idempotencyKey: string | undefined): Promise<unknown> {
    return manager.turn(id, { idempotencyKey, idempotencyRequest: id }, (turn) => {
      for (const message of this.#messages) turn.append(message);
      turn.increment('messageCount');
      return idempotencyKey === undefined ? undefined : this.#outcome;
    });
  }

  /** The data as short as JSON writes it, with no seq, time or id but what the caller chose. */
  #data(count: number, keyed: boolean): number {
    const { turns, stateBytes } = this.#options;
    const ofTurn = this.#messages.reduce((sum, message) => sum + JSON.stringify(message).length, 0);
    const outcome = keyOf(0).length + JSON.stringify(this.#outcome).length;
    let sum = 0;
    for (const id of idsOf(count)) {
      sum += id.length + stateJson(sampleSession(id, stateBytes)).length;
      sum += turns * (ofTurn + (keyed ? outcome : 0));
    }
    return sum;
  }

  get #messages() {
    const content = this.#content;
    return [
      { role: 'user', content },
      { role: 'assistant', content },
    ] as const;
  }

  get #outcome() {
    return { reply: this.#content };
  }
}

/** As long as a UUID, which is what clients choose. */
function keyOf(turn: number): string {
  return `5f6c4e0a-9d1b-4c57-8a3e-${String(turn).padStart(12, '0')}`;
}
