import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import type { RateWindow } from '../store/session-store.ts';

/** Windows that are counted at once; the ones that were hit longest ago go. */
const maxWindows = 100_000;

interface Window {
  count: number;
  readonly endsAt: number;
}

/** Hits of this process. */
export class Rates {
  readonly #clock: Clock;
  readonly #windows = new LRUCache<string, Window>({ max: maxWindows });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  hit(key: string, periodMs: number): RateWindow {
    const now = this.#clock.now();
    let window = this.#windows.get(key);
    if (window === undefined || window.endsAt <= now) {
      window = { count: 0, endsAt: now + periodMs };
      this.#windows.set(key, window);
    }
    window.count += 1;
    return { count: window.count, resetMs: window.endsAt - now };
  }
}
