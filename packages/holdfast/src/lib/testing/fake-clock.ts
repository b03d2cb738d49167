import { setImmediate as afterMicrotasks } from 'node:timers/promises';
import type { CancelTimer, Clock } from '../clock.ts';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/**
 * A clock that stands still until it is told to go. Timers fire in order as it passes them, and
 * what they set off has run before the next one fires.
 */
export class FakeClock implements Clock {
  #now: number;
  readonly #start: number;
  #timers: Timer[] = [];

  /** @param start milliseconds since the epoch; 2030-01-01 unless given. */
  constructor(start = Date.UTC(2030, 0, 1)) {
    this.#now = start;
    this.#start = start;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now - this.#start;
  }

  /** Timers that are set. */
  get timers(): number {
    return this.#timers.length;
  }

  setTimer(ms: number, callback: () => void): CancelTimer {
    const timer: Timer = { at: this.#now + Math.max(Math.ceil(ms), 0), callback };
    // Behind those of the same instant: they were set first.
    const index = this.#timers.findIndex((other) => other.at > timer.at);
    this.#timers.splice(index === -1 ? this.#timers.length : index, 0, timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Lets `ms` milliseconds pass, and everything happen that happens in them. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + Math.round(ms); // whole milliseconds, as Date.now has them
    await afterMicrotasks();
    for (let next = this.#timers[0]; next !== undefined && next.at <= end; next = this.#timers[0]) {
      this.#timers.shift();
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      await afterMicrotasks();
    }
    this.#now = Math.max(this.#now, end); // two may advance it at once
  }
}
