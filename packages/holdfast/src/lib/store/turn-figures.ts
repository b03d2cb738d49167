import type { Clock } from '../clock.ts';
import { HoldfastError } from '../errors/errors.ts';
import { type Durations, RecentDurations } from './durations.ts';

/** What became of turns in this process, since its store was opened. */
export interface TurnReport {
  /** Leases that were granted, those included that were given back as nobody knew of them in time. */
  readonly begun: number;
  /** Calls under an idempotency key that got a stored outcome. */
  readonly replayed: number;
  /** Commits, checkpoints included. */
  readonly commits: number;
  /** From the asking to the lease, waiting for other turns included. */
  readonly waitMs: Durations;
  readonly commitMs: Durations;
  /** How often a begin or a commit was refused, by the error's code. */
  readonly refusals: Readonly<Record<string, number>>;
}

/** Counts and times what a driver does for turns. */
export class TurnFigures {
  readonly #clock: Clock;
  readonly #waits: RecentDurations;
  readonly #commitTimes: RecentDurations;
  readonly #refusals = new Map<string, number>();
  #begun = 0;
  #replayed = 0;
  #commits = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#waits = new RecentDurations(clock);
    this.#commitTimes = new RecentDurations(clock);
  }

  async begin<Begun extends { readonly kind: 'granted' | 'replayed' }>(
    call: () => Begun | Promise<Begun>,
  ): Promise<Begun> {
    const from = this.#clock.monotonic();
    const begun = await this.#counting(call);
    if (begun.kind === 'replayed') {
      this.#replayed += 1;
    } else {
      this.#begun += 1;
      this.#waits.add(this.#clock.monotonic() - from);
    }
    return begun;
  }

  async commit<Result>(call: () => Result | Promise<Result>): Promise<Result> {
    const from = this.#clock.monotonic();
    const result = await this.#counting(call);
    this.#commits += 1;
    this.#commitTimes.add(this.#clock.monotonic() - from);
    return result;
  }

  report(): TurnReport {
    return {
      begun: this.#begun,
      replayed: this.#replayed,
      commits: this.#commits,
      waitMs: this.#waits.report(),
      commitMs: this.#commitTimes.report(),
      refusals: Object.fromEntries([...this.#refusals].sort()),
    };
  }

  async #counting<Result>(call: () => Result | Promise<Result>): Promise<Result> {
    try {
      return await call();
    } catch (error) {
      if (error instanceof HoldfastError) {
        this.#refusals.set(error.code, (this.#refusals.get(error.code) ?? 0) + 1);
      }
      throw error;
    }
  }
}
