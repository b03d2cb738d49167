import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Clock } from '../clock.ts';

/** How long something took, in milliseconds, over the last one to two minutes; 0 where nothing did. */
export interface Durations {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

const windowMs = 60_000;

/** In microseconds, to two digits; a day at most. */
const scale = { lowest: 1, highest: 86_400_000_000, figures: 2 };

/** Collects durations in two windows: the one that fills, and the one before. */
export class RecentDurations {
  readonly #clock: Clock;
  #filling: RecordableHistogram | null = null;
  #before: RecordableHistogram | null = null;
  #until: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#until = clock.monotonic() + windowMs;
  }

  add(ms: number): void {
    this.#roll();
    this.#filling ??= createHistogram(scale);
    this.#filling.record(Math.min(Math.max(Math.round(ms * 1000), 1), scale.highest));
  }

  report(): Durations {
    this.#roll();
    const all = this.#both();
    if (all === null) return { count: 0, p50: 0, p95: 0, p99: 0, max: 0 };
    const at = (percentile: number) => all.percentile(percentile) / 1000;
    return { count: all.count, p50: at(50), p95: at(95), p99: at(99), max: all.max / 1000 };
  }

  #both(): RecordableHistogram | null {
    if (this.#before === null || this.#filling === null) return this.#before ?? this.#filling;
    const all = createHistogram(scale);
    all.add(this.#before);
    all.add(this.#filling);
    return all;
  }

  #roll(): void {
    const now = this.#clock.monotonic();
    if (now < this.#until) return;
    this.#before = now < this.#until + windowMs ? this.#filling : null;
    this.#filling = null;
    this.#until += windowMs * (1 + Math.floor((now - this.#until) / windowMs));
  }
}
