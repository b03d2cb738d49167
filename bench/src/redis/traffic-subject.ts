import { RedisSessionStore } from 'holdfast/redis';
import type { Figures } from '../figures.ts';
import type { Begin, Measure, OptionsOf, Subject } from '../subject.ts';
import { MeasuredServer } from './measured-server.ts';
import { createAll, idsOf, sampleSession } from './sample-sessions.ts';
import type { VisitorsSubjectOptions } from './visitors-subject.ts';

export interface TrafficSubjectOptions {
  readonly sessions: number;
  readonly processes: number;
  readonly stateBytes: number;
  readonly l1?: VisitorsSubjectOptions['l1'];
}

const keyPrefix = 'traffic:';

/** Processes that visit the same sessions, and what Redis sends them. */
export class TrafficSubject implements Subject {
  readonly #server: MeasuredServer;
  readonly #processes: readonly Subject[];

  private constructor(server: MeasuredServer, processes: readonly Subject[]) {
    this.#server = server;
    this.#processes = processes;
  }

  static async create(
    { sessions, processes, stateBytes, l1 }: TrafficSubjectOptions,
    begin: Begin<OptionsOf<'visitors', VisitorsSubjectOptions>>,
  ): Promise<TrafficSubject> {
    const server = await MeasuredServer.start();
    const { url } = server;
    await using store = await RedisSessionStore.connect({ url, keyPrefix });
    await createAll(store, idsOf(sessions), (id) => sampleSession(id, stateBytes));
    const running: Subject[] = [];
    for (let seed = 1; seed <= processes; seed += 1) {
      running.push(await begin({ kind: 'visitors', url, keyPrefix, sessions, l1, seed }));
    }
    return new TrafficSubject(server, running);
  }

  async measure(measure: Measure, count: number): Promise<Figures> {
    const before = await this.#server.sentBytes();
    const begin = performance.now();
    const share = Math.ceil(count / this.#processes.length);
    const each = await Promise.all(
      this.#processes.map((process) => process.measure(measure, share)),
    );
    const elapsedMs = performance.now() - begin;
    const bytes = ((await this.#server.sentBytes()) - before) / count;
    const hits = each.reduce((sum, figures) => sum + (figures.hits ?? 0), 0) / each.length;
    return { bytes, hits, rate: (count / elapsedMs) * 1e3 };
  }

  async stop(): Promise<void> {
    for (const process of this.#processes) await process.stop();
    await this.#server.stop();
  }
}
