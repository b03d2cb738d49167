import { setTimeout as sleep } from 'node:timers/promises';
import { SessionManager } from 'holdfast';
import { RedisSessionStore, type RedisSessionStoreOptions } from 'holdfast/redis';
import { ask, field } from '../../../tests/servers/ask.ts';
import { RedisCluster } from '../../../tests/servers/redis-cluster.ts';
import { startRedis } from '../../../tests/servers/redis-server.ts';
import type { Figures } from '../figures.ts';
import { collectYoungGarbage, loadOf } from '../measuring.ts';
import { plainTurn } from '../plain-turn.ts';
import { createAll, idsOf, sampleSession } from '../redis/sample-sessions.ts';
import type { Measure, Subject } from '../subject.ts';

export interface PlacedSubjectOptions {
  /** One server, one with a replica, or a cluster of three primaries. */
  readonly on: 'one' | 'replica' | 'cluster';
  readonly durability?: 'async' | 'replicated';
  readonly sessions: number;
  readonly atOnce: number;
  readonly stateBytes: number;
}

/** Plain turns, as `TurnsSubject` has them, on what servers there are. */
export class PlacedSubject implements Subject {
  readonly #sessions: SessionManager;
  readonly #ids: readonly string[];
  readonly #atOnce: number;
  readonly #stop: () => Promise<void>;

  private constructor(
    sessions: SessionManager,
    ids: readonly string[],
    atOnce: number,
    stop: () => Promise<void>,
  ) {
    this.#sessions = sessions;
    this.#ids = ids;
    this.#atOnce = atOnce;
    this.#stop = stop;
  }

  static async create(options: PlacedSubjectOptions): Promise<PlacedSubject> {
    const { on, durability, sessions, atOnce, stateBytes } = options;
    const { place, stop } = await servers(on);
    const store = await RedisSessionStore.connect({
      ...{ ...place, durability, maxMessages: 1_000_000 },
      l1: {},
    });
    const ids = idsOf(sessions);
    await createAll(store, ids, (id) => sampleSession(id, stateBytes));
    return new PlacedSubject(new SessionManager({ store }), ids, atOnce, async () => {
      await store.close();
      await stop();
    });
  }

  async measure(measure: Measure, count: number): Promise<Figures> {
    if (measure !== 'turn') throw new Error(`What is placed has no measure ${measure}.`);
    collectYoungGarbage();
    return loadOf(count, this.#atOnce, (index) => {
      const id = this.#ids[index % this.#ids.length] ?? '';
      return this.#sessions.turn(id, async (turn) => plainTurn(turn));
    });
  }

  stop(): Promise<void> {
    return this.#stop();
  }
}

/** Between two looks whether the replica follows, in ms. */
const pollMs = 10;

type Place = Pick<RedisSessionStoreOptions, 'url' | 'cluster'>;

async function servers(
  on: PlacedSubjectOptions['on'],
): Promise<{ place: Place; stop: () => Promise<void> }> {
  if (on === 'cluster') {
    const cluster = await RedisCluster.start({ replicas: 0 });
    const place = { url: 'redis://cluster', cluster: { nodes: cluster.addresses } };
    return { place, stop: () => cluster.stop() };
  }
  const primary = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
  const place = { url: primary.url };
  if (on === 'one') return { place, stop: () => primary.stop() };
  const replica = await startRedis({ args: ['--replicaof', `127.0.0.1 ${primary.port}`] });
  while (field(await ask(primary.port, 'INFO', 'replication'), 'connected_slaves') !== '1') {
    await sleep(pollMs);
  }
  return {
    place,
    stop: async () => {
      await replica.stop();
      await primary.stop();
    },
  };
}
