import { RedisSessionStore } from 'holdfast/redis';
import { LRUCache } from 'lru-cache';
import type { RedisConnection } from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import type { Figures } from '../figures.ts';
import { collectYoungGarbage } from '../measuring.ts';
import { randomPicker } from '../memory/random.ts';
import type { Measure, Subject } from '../subject.ts';
import { connectTo, MeasuredServer } from './measured-server.ts';
import { createAll, idsOf, sampleSession } from './sample-sessions.ts';

export interface KeptSubjectOptions {
  readonly sessions: number;
  readonly stateBytes: number;
}

/** Sessions that an instance keeps, the same as frozen objects in a bare LRU, and a GET of their size. */
export class KeptSubject implements Subject {
  readonly #server: MeasuredServer;
  readonly #store: RedisSessionStore;
  readonly #raw: RedisConnection;
  readonly #lru: LRUCache<string, object>;
  readonly #ids: readonly string[];
  readonly #pick: (count: number) => string[];

  private constructor(
    server: MeasuredServer,
    store: RedisSessionStore,
    raw: RedisConnection,
    lru: LRUCache<string, object>,
  ) {
    this.#server = server;
    this.#store = store;
    this.#raw = raw;
    this.#lru = lru;
    this.#ids = [...lru.keys()];
    this.#pick = randomPicker(this.#ids);
  }

  static async create({ sessions, stateBytes }: KeptSubjectOptions): Promise<KeptSubject> {
    const server = await MeasuredServer.start();
    const store = await RedisSessionStore.connect({ url: server.url, l1: { ttlMs: 600_000 } });
    const raw = await connectTo(server.url);
    const lru = new LRUCache<string, object>({ max: 1_000 });
    const ids = idsOf(sessions);
    await createAll(store, ids, (id) => sampleSession(id, stateBytes));
    for (const id of ids) {
      const session = await store.get(id);
      if (session === null) throw new Error(`There is no session ${id}.`);
      lru.set(id, Object.freeze({ ...session }));
      await raw.send(['SET', `plain:${id}`, JSON.stringify(session)]);
    }
    return new KeptSubject(server, store, raw, lru);
  }

  async measure(measure: Measure, count: number): Promise<Figures> {
    const ids = this.#pick(count);
    // What has not been read for a while is confirmed anew first.
    for (const id of this.#ids) await this.#store.get(id);
    const before = (await this.#store.getStats()).l1CacheMisses;
    collectYoungGarbage();
    const begin = performance.now();
    switch (measure) {
      case 'lruGet':
        for (const id of ids) await this.#lru.get(id);
        break;
      case 'get':
        for (const id of ids) await this.#store.get(id);
        break;
      case 'roundTrip':
        for (const id of ids) await this.#raw.send(['GET', `plain:${id}`]);
        break;
      default:
        throw new Error(`Sessions that are kept have no measure ${measure}.`);
    }
    const elapsedMs = performance.now() - begin;
    const { l1CacheMisses } = await this.#store.getStats();
    if (measure === 'get' && (l1CacheMisses - before) / count > 0.001) {
      throw new Error(`Of ${count} reads ${l1CacheMisses - before} were no hits.`);
    }
    return { rate: (count / elapsedMs) * 1e3, time: (elapsedMs / count) * 1e6 };
  }

  async stop(): Promise<void> {
    this.#raw.destroy();
    await this.#store.close();
    await this.#server.stop();
  }
}
