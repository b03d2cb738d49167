import { vi } from 'vitest';

const real = performance.now.bind(performance);
/** Only grows: the clock is monotonic. */
let aheadMs = 0;

const everyMs = 100;

/**
 * Lets this process's monotonic clock run ahead until the promise is settled, so that a deadline passes
 * without being waited for: it can be as long as no machine needs for what must be done before.
 *
 * @param stepMs by which the clock goes ahead each time
 */
export async function outOfTime<Value>(pending: Promise<Value>, stepMs: number): Promise<Value> {
  if (!vi.isMockFunction(performance.now)) {
    vi.spyOn(performance, 'now').mockImplementation(() => real() + aheadMs);
  }
  const timer = setInterval(() => {
    aheadMs += stepMs;
  }, everyMs);
  try {
    return await pending;
  } finally {
    clearInterval(timer);
  }
}
