import type { CancelTimer, Clock } from 'holdfast';

/** Aborts a signal when it has lasted too long. It has begun when it is made. */
export class Silence {
  readonly #ms: number;
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  #until = 0;
  #cancel: CancelTimer = () => {};

  constructor(ms: number, clock: Clock) {
    this.#ms = ms;
    this.#clock = clock;
    this.begin();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get leftMs(): number {
    return this.#until - this.#clock.monotonic();
  }

  /** The time begins, or begins anew. */
  begin(): void {
    this.end();
    this.#until = this.#clock.monotonic() + this.#ms;
    this.#cancel = this.#clock.setTimer(this.#ms, () => this.#controller.abort());
  }

  end(): void {
    this.#cancel();
  }
}
