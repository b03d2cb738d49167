import type { FastifyInstance } from 'fastify';
import type { Clock, SessionManager, SessionStore, StoreStats } from 'holdfast';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { within } from '../within.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A stream that lasts as long as somebody watches it: how long says nothing of the server. */
    readonly isWatching?: boolean;
  }
}

/** So long a scrape waits for the store's figures; it does without, then. */
const patienceMs = 1_000;

/** What the gauges of the store say, by their names. */
const storeGauges: Readonly<Record<string, [help: string, value: (stats: StoreStats) => number]>> =
  {
    holdfast_active_sessions: ['Sessions there are.', (stats) => stats.activeSessions],
    holdfast_active_leases: ['Turns that run.', (stats) => stats.activeLeases],
    holdfast_waiters: ['Turns that wait for their session.', (stats) => stats.waiters],
    holdfast_l1_cache_size: ['Sessions in the L1 cache.', (stats) => stats.l1CacheSize],
    holdfast_l1_cache_hit_rate: ['L1 hits of all reads.', (stats) => stats.l1CacheHitRate],
  };

export interface MetricsOptions {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly openStreams: () => number;
}

/** What operators watch: the process, the store, and how long requests take. */
export class Metrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #registry = new Registry();
  readonly #options: MetricsOptions;
  readonly #requests: Histogram<'method' | 'route' | 'status'>;
  readonly #mismatches: Counter<'refused'>;
  readonly #lostWrites: Counter;
  readonly #up: Gauge;
  readonly #gauges: readonly { gauge: Gauge; value: (stats: StoreStats) => number }[];
  #watchesProcess = false;

  constructor(options: MetricsOptions) {
    const registers = [this.#registry];
    this.#options = options;
    this.#requests = new Histogram({
      name: 'holdfast_http_request_duration_seconds',
      help: 'From the request to the end of its answer, streams that only watch left out.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.005, 0.025, 0.1, 0.25, 1, 2.5, 10, 30, 60],
      registers,
    });
    this.#mismatches = new Counter({
      name: 'holdfast_fingerprint_mismatches_total',
      help: 'Requests whose client was not the one that their session is bound to.',
      labelNames: ['refused'],
      registers,
    });
    for (const refused of ['true', 'false']) this.#mismatches.inc({ refused }, 0);
    this.#lostWrites = new Counter({
      name: 'holdfast_lost_writes_total',
      help: 'Sessions that came back older than they were, after a failover or a restart of Redis.',
      registers,
    });
    this.#up = new Gauge({
      name: 'holdfast_store_up',
      help: 'Whether the session store told its figures.',
      registers,
    });
    this.#gauges = Object.entries(storeGauges).map(([name, [help, value]]) => ({
      gauge: new Gauge({ name, help, registers }),
      value,
    }));
    new Gauge({
      name: 'holdfast_open_streams',
      help: 'Event streams that are open.',
      registers,
      collect() {
        this.set(options.openStreams());
      },
    });
  }

  /** Times what `app` answers from now on, by route: addresses that clients make up are all one. */
  watch(app: FastifyInstance): void {
    app.addHook('onResponse', async (request, reply) => {
      const { url, config } = request.routeOptions;
      if (config.isWatching) return;
      const labels = {
        method: request.method,
        route: url ?? 'none',
        status: String(reply.statusCode),
      };
      this.#requests.observe(labels, reply.elapsedTime / 1000);
    });
  }

  /** Counts what happens to sessions, from now until what it returns is called. */
  count(sessions: SessionManager): () => Promise<void> {
    const stops = [
      sessions.on('fingerprintMismatch', ({ refused }) => {
        this.#mismatches.inc({ refused: String(refused) });
      }),
      sessions.on('lostWrites', () => this.#lostWrites.inc()),
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
    const stats = await this.#stats();
    this.#up.set(stats === null ? 0 : 1);
    for (const { gauge, value } of this.#gauges) {
      if (stats === null) gauge.remove();
      else gauge.set(value(stats));
    }
    return this.#registry.metrics();
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
