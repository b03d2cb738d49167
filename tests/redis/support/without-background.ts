import { type Clock, systemClock } from '../../../packages/holdfast/src/lib/clock.ts';

/**
 * On this clock instances do nothing in the background, however long a test takes: what is seen is what was
 * asked for. (What is asked for itself waits less than a second.)
 */
export const withoutBackground: Clock = {
  ...systemClock,
  setTimer: (ms, callback, options) =>
    options?.background && ms >= 1_000 ? () => {} : systemClock.setTimer(ms, callback, options),
};
