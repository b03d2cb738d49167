import type { CancelTimer } from '../clock.ts';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** The timers of a clock that somebody moves. Those of one instant fire as they were set. */
export class TimerQueue {
  #timers: Timer[] = [];

  /** Timers that are set. */
  get size(): number {
    return this.#timers.length;
  }

  /** @param at when it is to fire, by the clock. */
  set(at: number, callback: () => void): CancelTimer {
    const timer: Timer = { at, callback };
    const index = this.#timers.findIndex((other) => other.at > at);
    this.#timers.splice(index === -1 ? this.#timers.length : index, 0, timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Takes the next timer out, if it fires up to `end`. */
  take(end: number): Timer | null {
    const [next] = this.#timers;
    if (next === undefined || next.at > end) return null;
    this.#timers.shift();
    return next;
  }
}
