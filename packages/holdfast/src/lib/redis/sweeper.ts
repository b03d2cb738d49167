import type { CancelTimer } from '../clock.ts';
import type { RedisCore } from './redis-core.ts';
import type { Removals } from './removals.ts';

/** What has expired leaves at the latest so much later, if any instance runs. */
const sweepMs = 5_000;

/** Removes in the background what has expired. */
export class Sweeper<Metadata extends object> {
  readonly #core: RedisCore<Metadata>;
  readonly #removals: Removals<Metadata>;
  #cancel: CancelTimer | null = null;
  #stopped = false;

  constructor(core: RedisCore<Metadata>, removals: Removals<Metadata>) {
    this.#core = core;
    this.#removals = removals;
  }

  start(): void {
    if (this.#stopped) return;
    this.#cancel = this.#core.options.clock.setTimer(sweepMs, () => void this.#sweep(), {
      background: true,
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  async #sweep(): Promise<void> {
    try {
      await this.#removals.removeExpired();
    } catch (err) {
      if (!this.#stopped) {
        this.#core.options.logger.debug({ err }, 'Failed to remove expired sessions; trying again');
      }
    }
    this.start();
  }
}
