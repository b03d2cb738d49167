import type { CancelTimer } from '../../../../packages/holdfast/src/lib/clock.ts';
import type { SuiteClock } from '../../../../packages/holdfast/src/lib/testing/suite/suite-context.ts';
import { TimerQueue } from '../../../../packages/holdfast/src/lib/testing/timer-queue.ts';
import type { FakeTimeRedis } from '../../../servers/redis-server.ts';
import type { Traffic } from './traffic.ts';

/**
 * A `FakeClock` that stores and their Redis share: wherever its time stands, the server's stands too.
 * Timers fire in order as it passes them, and what they set off, in Redis and through it, has run
 * before the next one fires.
 */
export class FakeTimeClock implements SuiteClock {
  readonly #server: Pick<FakeTimeRedis, 'setTime'>;
  readonly #traffic: Pick<Traffic, 'quiet'>;
  readonly #start: number;
  #now: number;
  readonly #timers = new TimerQueue();
  #lastStep: Promise<unknown> = Promise.resolve();

  /** @param start milliseconds since the epoch; 2030-01-01 unless given. */
  constructor(
    server: Pick<FakeTimeRedis, 'setTime'>,
    traffic: Pick<Traffic, 'quiet'>,
    start = Date.UTC(2030, 0, 1),
  ) {
    this.#server = server;
    this.#traffic = traffic;
    this.#start = start;
    this.#now = start;
    server.setTime(start);
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

  /**
   * Lets `ms` milliseconds pass, and everything happen that happens in them. Of two calls at once,
   * each fires the next timer when what the other one's set off has run.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#now + Math.round(ms); // whole milliseconds, as Date.now has them
    await this.#alone(() => this.#traffic.quiet());
    while (await this.#alone(() => this.#step(end)));
  }

  /** Fires the next timer up to `end`. @returns false when there is none, and `end` has come */
  async #step(end: number): Promise<boolean> {
    const next = this.#timers.take(end);
    if (next === null) {
      this.#moveTo(end);
      return false;
    }
    this.#moveTo(next.at);
    next.callback();
    await this.#traffic.quiet();
    return true;
  }

  /** Only forward: two may advance it at once. */
  #moveTo(time: number): void {
    if (time <= this.#now) return;
    this.#server.setTime(time);
    this.#now = time;
  }

  #alone<Value>(step: () => Promise<Value>): Promise<Value> {
    const run = this.#lastStep.then(step, step);
    this.#lastStep = run;
    return run;
  }
}
