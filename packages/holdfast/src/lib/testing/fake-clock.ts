import { setImmediate as afterMicrotasks } from 'node:timers/promises';
import type { CancelTimer, Clock } from '../clock.ts';
import { TimerQueue } from './timer-queue.ts';

/**
 * A clock that stands still until it is told to go. Timers fire in order as it passes them, and
 * what they set off has run before the next one fires.
 */
export class FakeClock implements Clock {
  #now: number;
  readonly #start: number;
  readonly #timers = new TimerQueue();

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
    return this.#timers.size;
  }

  setTimer(ms: number, callback: () => void): CancelTimer {
    return this.#timers.set(this.#now + Math.max(Math.ceil(ms), 0), callback);
  }

  /** Lets `ms` milliseconds pass, and everything happen that happens in them. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + Math.round(ms); // whole milliseconds, as Date.now has them
    await afterMicrotasks();
    for (let next = this.#timers.take(end); next !== null; next = this.#timers.take(end)) {
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      await afterMicrotasks();
    }
    this.#now = Math.max(this.#now, end); // two may advance it at once
  }
}
