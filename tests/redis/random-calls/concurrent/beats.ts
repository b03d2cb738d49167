import type { Clock } from '../../../../packages/holdfast/src/lib/clock.ts';

interface Beat {
  readonly comes: Promise<void>;
}

/** Sleep until a beat: all who sleep until the same one go on at once, and so their calls meet. */
export class Beats {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #coming = new Map<number, Beat>();

  constructor(clock: Clock, everyMs: number) {
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  /** To the first beat that is no earlier; one that has come is none. */
  sleep(ms: number): Promise<void> {
    const now = this.#clock.now();
    const at = Math.ceil((now + Math.max(ms, 1)) / this.#everyMs) * this.#everyMs;
    const known = this.#coming.get(at);
    if (known !== undefined) return known.comes;
    const comes = new Promise<void>((resolve) => {
      this.#clock.setTimer(at - now, () => {
        this.#coming.delete(at);
        resolve();
      });
    });
    this.#coming.set(at, { comes });
    return comes;
  }
}
