import { outside } from './outside.ts';

interface Deadline {
  readonly at: number;
  readonly expire: () => void;
}

/**
 * One timer for every deadline of a link. It runs only while there is something to watch, and never
 * keeps the process alive: sockets and reconnecting do. An expiry comes up to one tick late.
 */
export class CoarseTimer {
  readonly #tickMs: number;
  readonly #onTick: () => boolean;
  readonly #deadlines = new Set<Deadline>();
  #timer: NodeJS.Timeout | undefined;

  /** @param onTick runs each tick; says whether it wants another one */
  constructor(tickMs: number, onTick: () => boolean) {
    this.#tickMs = tickMs;
    this.#onTick = onTick;
  }

  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  start(): void {
    this.#timer ??= outside(() => setInterval(() => this.#tick(), this.#tickMs).unref());
  }

  /** For good; what is still due never expires. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#deadlines.clear();
  }

  /**
   * Calls `expire` once, when `at` (by `performance.now()`) has passed.
   *
   * @returns what cancels it
   */
  add(at: number, expire: () => void): () => void {
    const deadline = { at, expire };
    this.#deadlines.add(deadline);
    this.start();
    return () => this.#deadlines.delete(deadline);
  }

  /** The promise's outcome, or a rejection with `late()` when `at` passes first. */
  within<Value>(promise: Promise<Value>, at: number, late: () => Error): Promise<Value> {
    return new Promise((resolve, reject) => {
      const cancel = this.add(at, () => reject(late()));
      promise.finally(cancel).then(resolve, reject);
    });
  }

  #tick(): void {
    const now = performance.now();
    for (const deadline of this.#deadlines) {
      if (deadline.at > now) continue;
      this.#deadlines.delete(deadline);
      deadline.expire();
    }
    const wantsMore = this.#onTick();
    if (wantsMore || this.#deadlines.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
