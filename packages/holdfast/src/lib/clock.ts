/** Cancels a timer. Cancelling one that has fired, or twice, does nothing. */
export type CancelTimer = () => void;

/**
 * The source of time for everything in Holdfast. Inject one to test expiry without waiting;
 * `holdfast/testing` has a `FakeClock`.
 */
export interface Clock {
  /** Wall time in milliseconds since the Unix epoch. May step. */
  now(): number;
  /** Milliseconds from an arbitrary start. Never steps: a holder measures its lease with it. */
  monotonic(): number;
  /**
   * Calls `callback` once, `ms` milliseconds from now (at most 2^31 - 1). A `background` timer does
   * not keep the process alive.
   */
  setTimer(ms: number, callback: () => void, options?: { background?: boolean }): CancelTimer;
}

/** Longest delay that Node's timers take; a longer one would fire at once. */
const maxDelayMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  setTimer(ms, callback, options) {
    const timer = setTimeout(callback, Math.min(Math.max(ms, 0), maxDelayMs));
    if (options?.background) timer.unref();
    return () => clearTimeout(timer);
  },
};
