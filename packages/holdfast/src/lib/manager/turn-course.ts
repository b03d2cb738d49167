import type { Clock } from '../clock.ts';
import { HoldfastError } from '../errors/errors.ts';
import type { Lease } from '../store/turn-store.ts';
import { turnId } from '../store/turn-store.ts';
import type { Tracer } from '../telemetry/tracer.ts';

/** How a call of `turn` went, told when it has ended. Durations are in milliseconds. */
export interface TurnEnded {
  readonly sessionId: string;
  /** As events of its output name it; `null` when it did not begin. */
  readonly turnId: string | null;
  /** As `TurnOptions.requestId` had it. */
  readonly requestId: string | null;
  /** `replayed`: the stored outcome of an earlier call under the key. */
  readonly outcome: 'committed' | 'replayed' | 'failed' | 'refused';
  /** Why it failed or was refused: an error's code, or `WORK_FAILED` for one that is not Holdfast's. */
  readonly code: string | null;
  /** 0 when it did not begin. */
  readonly attempt: number;
  /** To the lease, waiting for other turns included. */
  readonly waitMs: number;
  /** From the lease to the last commit, checkpoints included. */
  readonly workMs: number;
  /** Of the last commit. */
  readonly commitMs: number;
  readonly checkpoints: number;
}

/** Follows one call of `turn`. */
export class TurnCourse {
  checkpoints = 0;
  /** For spans of its parts. */
  tracer: Tracer | undefined;
  readonly #sessionId: string;
  readonly #requestId: string | null;
  readonly #clock: Clock;
  readonly #askedAt: number;
  #begunAt: number | null = null;
  #commitAt: number | null = null;
  #turnId: string | null = null;
  #attempt = 0;
  #isReplay = false;

  constructor(sessionId: string, requestId: string | undefined, clock: Clock) {
    this.#sessionId = sessionId;
    this.#requestId = requestId ?? null;
    this.#clock = clock;
    this.#askedAt = clock.monotonic();
  }

  begun(lease: Lease, attempt: number): void {
    this.#begunAt = this.#clock.monotonic();
    this.#turnId = turnId(lease);
    this.#attempt = attempt;
  }

  replayed(): void {
    this.#isReplay = true;
  }

  committing(): void {
    this.#commitAt = this.#clock.monotonic();
  }

  ended(failure: { readonly error: unknown } | null): TurnEnded {
    const now = this.#clock.monotonic();
    const begunAt = this.#begunAt ?? now;
    const commitAt = this.#commitAt ?? now;
    return {
      sessionId: this.#sessionId,
      turnId: this.#turnId,
      requestId: this.#requestId,
      outcome: this.#outcome(failure !== null),
      code: failure && codeOf(failure.error),
      attempt: this.#attempt,
      waitMs: begunAt - this.#askedAt,
      workMs: commitAt - begunAt,
      commitMs: now - commitAt,
      checkpoints: this.checkpoints,
    };
  }

  #outcome(hasFailed: boolean): TurnEnded['outcome'] {
    if (hasFailed) return this.#begunAt === null ? 'refused' : 'failed';
    return this.#isReplay ? 'replayed' : 'committed';
  }
}

/** As `turn.failed` has it. */
export function codeOf(error: unknown): string {
  return error instanceof HoldfastError ? error.code : 'WORK_FAILED';
}
