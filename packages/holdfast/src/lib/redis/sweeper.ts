import type { CancelTimer } from '../clock.ts';
import type { RedisCore } from './redis-core.ts';
import type { Removals } from './removals.ts';

/** Buckets are divided into so many lanes, each of which one instance looks after at a time. */
const lanes = 16;

/** Instances that began together do not stay together. */
const jitter = 1 / 10;

/**
 * Removes in the background what has expired. In each round one instance gets a lane, whoever comes
 * first; there are three rounds in the time that a removal may take, so that another one takes over
 * from an instance that died.
 */
export class Sweeper<Metadata extends object> {
  readonly #core: RedisCore<Metadata>;
  readonly #removals: Removals<Metadata>;
  readonly #roundMs: number;
  #cancel: CancelTimer | null = null;
  #stopped = false;

  constructor(core: RedisCore<Metadata>, removals: Removals<Metadata>) {
    this.#core = core;
    this.#removals = removals;
    this.#roundMs = core.options.removedWithinMs / 3;
  }

  start(): void {
    if (this.#stopped) return;
    const restMs = this.#roundMs * (1 - jitter * Math.random());
    this.#cancel = this.#core.options.clock.setTimer(restMs, () => void this.#sweep(), {
      background: true,
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  async #sweep(): Promise<void> {
    try {
      const mine = await this.#claim();
      if (mine.length > 0) await this.#removals.removeExpired(undefined, mine);
    } catch (err) {
      if (!this.#stopped) {
        this.#core.options.logger.debug({ err }, 'Failed to remove expired sessions; trying again');
      }
    }
    this.start();
  }

  /** The buckets that are this instance's in this round. */
  async #claim(): Promise<number[]> {
    const { keys, link, inbox } = this.#core;
    // Gone before the next round: a claim is not given up, so that nobody else sweeps in this one.
    const untilNext = String(Math.floor(this.#roundMs * (1 - 2 * jitter)));
    const claims = await Promise.all(
      Array.from({ length: lanes }, (_, lane) =>
        link.command(['SET', keys.cleaner(lane), inbox, 'NX', 'PX', untilNext]),
      ),
    );
    const buckets = Array.from({ length: keys.buckets }, (_, bucket) => bucket);
    return buckets.filter((bucket) => claims[bucket % lanes] !== null);
  }
}
