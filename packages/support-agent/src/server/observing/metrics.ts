import type { FastifyInstance } from 'fastify';
import {
  type Clock,
  errorRegistry,
  type SessionManager,
  type SessionStore,
  type StoreStats,
} from 'holdfast';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { CustomerSupportAgent } from '../../agent/customer-support-agent.ts';
import { within } from '../../within.ts';
import { onReplyOver } from '../reply-over.ts';
import { StoreMetrics } from './store-metrics.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A stream that lasts as long as somebody watches it: how long says nothing of the server. */
    readonly isWatching?: boolean;
  }
}

/** So long a scrape waits for the store's figures; it does without, then. */
const patienceMs = 800;

/** Seconds. From a turn in memory to one that a person waits for. */
const turnBuckets = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

export interface MetricsOptions {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly openStreams: () => number;
}

/** What operators watch: the process, the store, turns, and how long requests take. */
export class Metrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #registry = new Registry();
  readonly #options: MetricsOptions;
  readonly #store: StoreMetrics;
  #watchesProcess = false;

  constructor(options: MetricsOptions) {
    this.#options = options;
    this.#store = new StoreMetrics(this.#registry);
    new Gauge({
      name: 'holdfast_open_streams',
      help: 'Event streams that are open.',
      registers: [this.#registry],
      collect() {
        this.set(options.openStreams());
      },
    });
  }

  /** Times what `app` answers from now on, by route: addresses that clients make up are all one. */
  watch(app: FastifyInstance): void {
    const requests = this.#histogram(
      'holdfast_http_request_duration_seconds',
      'From the request to the end of its answer, streams that only watch left out.',
      ['method', 'route', 'status'],
      [0.005, 0.025, 0.1, 0.25, 1, 2.5, 10, 30, 60],
    );
    onReplyOver(app, (request, status, reply) => {
      const { url, config } = request.routeOptions;
      if (config.isWatching) return;
      const labels = {
        method: request.method,
        route: url ?? 'none',
        status: String(status),
      };
      requests.observe(labels, reply.elapsedTime / 1000);
    });
  }

  /** Counts what happens to sessions and in turns, from now until what it returns is called. */
  count(sessions: SessionManager, agent: CustomerSupportAgent): () => Promise<void> {
    const stops = [
      this.#countTurns(sessions),
      this.#countCalls(agent),
      ...this.#countSessions(sessions),
    ];
    return async () => {
      for (const stop of stops) stop();
    };
  }

  /** All of it, in Prometheus's text format. */
  async text(): Promise<string> {
    // Watching garbage collection and the event loop costs something, and only who asks needs it.
    if (!this.#watchesProcess) collectDefaultMetrics({ register: this.#registry });
    this.#watchesProcess = true;
    this.#store.show(await this.#stats());
    return this.#registry.metrics();
  }

  #countTurns(sessions: SessionManager): () => void {
    const turns = this.#counter(
      'holdfast_turns_total',
      'Turns that ended: committed, replayed, failed or refused; of the last two, why.',
      ['outcome', 'code'],
    );
    for (const outcome of ['committed', 'replayed']) turns.inc({ outcome, code: '' }, 0);
    // A series that begins with its first failure has no rate: that would raise no alert.
    for (const code of [...Object.keys(errorRegistry), 'WORK_FAILED']) {
      for (const outcome of ['failed', 'refused']) turns.inc({ outcome, code }, 0);
    }
    const [wait, work, commit] = [
      ['wait', 'From the asking to the lease, waiting for other turns included.'],
      ['work', 'From the lease to the last commit.'],
      ['commit', 'The last commit of a turn.'],
    ].map(([name, help]) =>
      this.#histogram(`holdfast_turn_${name}_seconds`, help ?? '', [], turnBuckets),
    );
    return sessions.on('turnEnded', ({ outcome, code, waitMs, workMs, commitMs }) => {
      turns.inc({ outcome, code: code ?? '' });
      if (outcome === 'refused' || outcome === 'replayed') return;
      wait?.observe(waitMs / 1000);
      work?.observe(workMs / 1000);
      if (outcome === 'committed') commit?.observe(commitMs / 1000);
    });
  }

  #countCalls(agent: CustomerSupportAgent): () => void {
    const models = this.#histogram(
      'holdfast_model_call_duration_seconds',
      'A model asked once, to the end of what it says.',
      ['model', 'failed'],
      [0.01, 0.05, 0.25, 1, 2.5, 5, 10, 30, 60],
    );
    const tools = this.#histogram(
      'holdfast_tool_call_duration_seconds',
      'One call of a tool.',
      ['tool', 'failed'],
      [0.001, 0.01, 0.1, 1, 10],
    );
    return agent.onCall(({ kind, name, seconds, failed }) => {
      const labels = { [kind]: name, failed: String(failed) };
      (kind === 'model' ? models : tools).observe(labels, seconds);
    });
  }

  #countSessions(sessions: SessionManager): (() => void)[] {
    const ends = this.#counter(
      'holdfast_session_ends_total',
      'Sessions that this instance ended: expired, evicted or deleted.',
      ['reason'],
    );
    const reasons = ['expired', 'evicted', 'deleted'] as const;
    for (const reason of reasons) ends.inc({ reason }, 0);
    const created = this.#counter('holdfast_sessions_created_total', 'Sessions that began here.');
    const escalated = this.#counter(
      'holdfast_escalations_total',
      'Sessions in which a person was asked for.',
    );
    const mismatches = this.#counter(
      'holdfast_fingerprint_mismatches_total',
      'Requests whose client was not the one that their session is bound to.',
      ['refused'],
    );
    for (const refused of ['true', 'false']) mismatches.inc({ refused }, 0);
    const lostWrites = this.#counter(
      'holdfast_lost_writes_total',
      'Sessions that came back older than they were, after a failover or a restart of Redis; told where encryption is on.',
    );
    return [
      ...reasons.map((reason) => sessions.on(reason, () => ends.inc({ reason }))),
      sessions.on('created', () => created.inc()),
      sessions.on('escalated', () => escalated.inc()),
      sessions.on('fingerprintMismatch', ({ refused }) =>
        mismatches.inc({ refused: String(refused) }),
      ),
      sessions.on('lostWrites', () => lostWrites.inc()),
    ];
  }

  #counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #histogram(name: string, help: string, labelNames: string[], buckets: number[]): Histogram {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.#registry] });
  }

  async #stats(): Promise<StoreStats | null> {
    const { store, clock } = this.#options;
    const stats = await within(
      patienceMs,
      clock,
      store.getStats().catch(() => null),
    );
    return stats === 'late' ? null : stats;
  }
}
