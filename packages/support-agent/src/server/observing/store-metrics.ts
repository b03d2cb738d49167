import type { StoreStats } from 'holdfast';
import { Counter, Gauge, type Registry } from 'prom-client';

type Figure = readonly [help: string, value: (stats: StoreStats) => number | undefined];

/** Left out where there is nothing to tell. */
const gauges: Readonly<Record<string, Figure>> = {
  holdfast_active_sessions: ['Sessions there are.', (stats) => stats.activeSessions],
  holdfast_active_leases: ['Turns that run.', (stats) => stats.activeLeases],
  holdfast_waiters: ['Turns that wait for their session.', (stats) => stats.waiters],
  holdfast_l1_cache_size: ['Sessions in the L1 cache.', (stats) => stats.l1CacheSize],
  holdfast_l1_cache_hit_rate: ['L1 hits of all reads.', (stats) => stats.l1CacheHitRate],
  holdfast_redis_memory_bytes: [
    'Memory that Redis uses.',
    (stats) => stats.server?.usedMemoryBytes,
  ],
  holdfast_redis_connected_clients: [
    'Connections to Redis, of everybody.',
    (stats) => stats.server?.connectedClients,
  ],
};

const counters: Readonly<Record<string, Figure>> = {
  holdfast_l1_cache_hits_total: ['Reads that the L1 cache served.', (stats) => stats.l1CacheHits],
  holdfast_l1_cache_misses_total: ['Reads that it did not.', (stats) => stats.l1CacheMisses],
  holdfast_l1_cache_invalidations_total: [
    'Sessions that left the L1 cache because they had changed.',
    (stats) => stats.l1CacheInvalidations,
  ],
  holdfast_commits_total: ['Commits, checkpoints included.', (stats) => stats.turns.commits],
};

/** What the store's stats say, as metrics. */
export class StoreMetrics {
  readonly #up: Gauge;
  readonly #gauges: readonly (readonly [Gauge, Figure[1]])[];
  readonly #counters: readonly (readonly [Counter, Figure[1]])[];

  constructor(registry: Registry) {
    const registers = [registry];
    this.#up = new Gauge({
      name: 'holdfast_store_up',
      help: 'Whether the session store told its figures.',
      registers,
    });
    this.#gauges = Object.entries(gauges).map(
      ([name, [help, value]]) => [new Gauge({ name, help, registers }), value] as const,
    );
    this.#counters = Object.entries(counters).map(
      ([name, [help, value]]) => [new Counter({ name, help, registers }), value] as const,
    );
  }

  /** `null` when the store did not tell: gauges are left out, and counters stay as they were. */
  show(stats: StoreStats | null): void {
    this.#up.set(stats === null ? 0 : 1);
    for (const [gauge, figure] of this.#gauges) {
      const value = stats === null ? undefined : figure(stats);
      if (value === undefined) gauge.remove();
      else gauge.set(value);
    }
    if (stats === null) return;
    for (const [counter, figure] of this.#counters) {
      counter.reset();
      counter.inc(figure(stats) ?? 0);
    }
  }
}
