import { Redis } from 'ioredis';
import { Mutex } from 'redis-semaphore';
import type { Figures } from '../figures.ts';
import { collectYoungGarbage, loadOf } from '../measuring.ts';
import { sixtyBytes } from '../plain-turn.ts';
import type { Measure, Subject } from '../subject.ts';
import { MeasuredServer } from './measured-server.ts';
import { idsOf, sampleSession } from './sample-sessions.ts';
import { SealedJson } from './sealed-json.ts';

export interface EqualWorkSubjectOptions {
  readonly sessions: number;
  readonly atOnce: number;
  readonly stateBytes: number;
}

const idleSeconds = 30 * 60;
const lockTimeout = 30_000;

/**
 * What a turn is put together from without a session layer: a lock, the session as one encrypted
 * value, its messages in a list, and their expiry. The writes go in one pipeline.
 */
export class EqualWorkSubject implements Subject {
  readonly #server: MeasuredServer;
  readonly #redis: Redis;
  readonly #ids: readonly string[];
  readonly #atOnce: number;
  readonly #sealed = new SealedJson();

  private constructor(
    server: MeasuredServer,
    redis: Redis,
    ids: readonly string[],
    atOnce: number,
  ) {
    this.#server = server;
    this.#redis = redis;
    this.#ids = ids;
    this.#atOnce = atOnce;
  }

  static async create(options: EqualWorkSubjectOptions): Promise<EqualWorkSubject> {
    const { sessions, atOnce, stateBytes } = options;
    const server = await MeasuredServer.start();
    const subject = new EqualWorkSubject(server, new Redis(server.url), idsOf(sessions), atOnce);
    for (const id of subject.#ids) {
      const session = { ...sampleSession(id, stateBytes), messageCount: 0 };
      await subject.#redis.set(`session:${id}`, subject.#sealed.seal(session, id));
    }
    return subject;
  }

  async measure(measure: Measure, count: number): Promise<Figures> {
    if (measure !== 'turn') throw new Error(`Equal work has no measure ${measure}.`);
    collectYoungGarbage();
    return this.#server.during(count, () =>
      loadOf(count, this.#atOnce, (index) => this.#turn(this.#ids[index % this.#ids.length] ?? '')),
    );
  }

  async stop(): Promise<void> {
    this.#redis.disconnect();
    await this.#server.stop();
  }

  async #turn(id: string): Promise<void> {
    const mutex = new Mutex(this.#redis, `lock:${id}`, { lockTimeout });
    await mutex.acquire();
    try {
      const stored = await this.#redis.getBuffer(`session:${id}`);
      if (stored === null) throw new Error(`There is no session ${id}.`);
      const session = this.#sealed.open(stored, id) as { messageCount: number };
      session.messageCount += 1;
      const history = `history:${id}`;
      const writes = this.#redis.pipeline().set(`session:${id}`, this.#sealed.seal(session, id));
      for (const role of ['user', 'assistant']) {
        writes.rpush(history, this.#sealed.seal({ role, content: sixtyBytes }, id));
      }
      writes.expire(`session:${id}`, idleSeconds).expire(history, idleSeconds);
      for (const [error] of (await writes.exec()) ?? []) if (error) throw error;
    } finally {
      await mutex.release();
    }
  }
}
