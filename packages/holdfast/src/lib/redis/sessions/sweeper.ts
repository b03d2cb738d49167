import type { CancelTimer } from '../../clock.ts';
import { outside } from '../connection/outside.ts';
import type { RedisCore } from '../core/redis-core.ts';
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
  #isFailing = false;

  constructor(core: RedisCore<Metadata>, removals: Removals<Metadata>) {
    this.#core = core;
    this.#removals = removals;
    this.#roundMs = core.options.removedWithinMs / 3;
  }

  start(): void {
    if (this.#stopped) return;
    const restMs = this.#roundMs * (1 - jitter * Math.random());
    const sweep = () => void this.#sweep();
    const { clock } = this.#core.options;
    this.#cancel = outside(() => clock.setTimer(restMs, sweep, { background: true }));
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  async #sweep(): Promise<void> {
    let held: readonly number[] = [];
    const stopRenewing = this.#everyHalfClaim(() => this.#renew(held));
    try {
      held = await this.#claim();
      const mine = this.#bucketsOf(held);
      if (mine.length === 0) return;
      await this.#removals.removeExpired(undefined, mine);
      this.#isFailing = false;
    } catch (err) {
      this.#failed(err);
    } finally {
      stopRenewing();
      this.start();
    }
  }

  /** Rounds come by the second: the first that fails is told of, until one does not. */
  #failed(err: unknown): void {
    if (this.#stopped || this.#isFailing) return;
    this.#isFailing = true;
    const { logger } = this.#core.options;
    logger.warn({ err }, 'Failed to remove expired sessions; each round tries again');
  }

  /** Gone before the next round: a claim is not given up, so that nobody else sweeps in this one. */
  get #claimMs(): number {
    return Math.floor(this.#roundMs * (1 - 2 * jitter));
  }

  /** The lanes that are this instance's in this round. */
  async #claim(): Promise<readonly number[]> {
    const { keys, link, inbox } = this.#core;
    const all = [...Array(lanes).keys()];
    const claims = await Promise.all(
      all.map((lane) =>
        link.command(['SET', keys.cleaner(lane), inbox, 'NX', 'PX', String(this.#claimMs)]),
      ),
    );
    return all.filter((lane) => claims[lane] !== null);
  }

  /**
   * For a sweep that takes longer than its claim. That the claim may have passed to another one between the look and the
   * renewal does no harm: each removal is one instance's alone.
   */
  async #renew(held: readonly number[]): Promise<void> {
    const { keys, link, inbox } = this.#core;
    await Promise.allSettled(
      held.map(async (lane) => {
        const key = keys.cleaner(lane);
        const owner = await link.command(['GET', key]);
        if (String(owner) === inbox) await link.command(['PEXPIRE', key, String(this.#claimMs)]);
      }),
    );
  }

  #everyHalfClaim(renew: () => Promise<void>): CancelTimer {
    const { clock } = this.#core.options;
    let cancel: CancelTimer | null = null;
    const next = () => {
      cancel = clock.setTimer(this.#claimMs / 2, renewed, { background: true });
    };
    const renewed = async () => {
      await renew();
      if (cancel !== null) next();
    };
    next();
    return () => {
      cancel?.();
      cancel = null;
    };
  }

  #bucketsOf(held: readonly number[]): number[] {
    const mine = new Set(held);
    const buckets = [...Array(this.#core.keys.buckets).keys()];
    return buckets.filter((bucket) => mine.has(bucket % lanes));
  }
}
