import type { Clock, Logger, SessionStore, StoreStats } from 'holdfast';
import { within } from '../within.ts';

/** Longer than this no answer waits for figures. */
const patienceMs = 1_000;
/** Figures that took 10 ms are asked for every 500 ms at most, or 2 % of the time. */
const restPerWork = 49;

/**
 * The store's figures for answers. On a shared store they cost many times what a turn costs, so that
 * one call serves all messages for a while; where they cost nothing, each message gets its own.
 */
export class SessionFigures {
  readonly #store: SessionStore;
  readonly #clock: Clock;
  readonly #logger: Logger | undefined;
  #running: Promise<StoreStats | null> | undefined;
  #last: { readonly stats: StoreStats; readonly until: number } | undefined;

  constructor(store: SessionStore, clock: Clock, logger?: Logger) {
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** `null` when the store could not tell them, or not soon. */
  async current(): Promise<StoreStats | null> {
    if (this.#last !== undefined && this.#clock.monotonic() < this.#last.until) {
      return this.#last.stats;
    }
    this.#running ??= this.#ask().finally(() => {
      this.#running = undefined;
    });
    const stats = await within(patienceMs, this.#clock, this.#running);
    return stats === 'late' ? null : stats;
  }

  async #ask(): Promise<StoreStats | null> {
    const from = this.#clock.monotonic();
    try {
      const stats = await this.#store.getStats();
      const now = this.#clock.monotonic();
      this.#last = { stats, until: now + (now - from) * restPerWork };
      return stats;
    } catch (error) {
      this.#logger?.warn({ err: error }, 'session stats unavailable');
      return null;
    }
  }
}
