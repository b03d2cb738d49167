import type { Clock, RateWindow, SessionStore } from 'holdfast';
import { InMemorySessionStore } from 'holdfast/memory';
import { within } from '../../within.ts';

/** So long a request waits for the shared count; it is counted here, then. */
const patienceMs = 250;
/** For so long after that nobody asks for it again. */
const pauseMs = 1_000;

/**
 * Hits counted over all instances; by this one alone while the store cannot be reached, so that a limit
 * neither goes nor holds up requests.
 */
export class SharedHits {
  readonly #shared: Pick<SessionStore, 'hit'>;
  readonly #own: InMemorySessionStore;
  readonly #clock: Clock;
  #pausedUntil = Number.NEGATIVE_INFINITY;

  constructor(shared: Pick<SessionStore, 'hit'>, clock: Clock) {
    this.#shared = shared;
    this.#clock = clock;
    this.#own = new InMemorySessionStore({ clock });
  }

  async hit(key: string, periodMs: number): Promise<RateWindow> {
    const own = this.#own.hit(key, periodMs);
    if (this.#clock.monotonic() < this.#pausedUntil) return own;
    const asked = this.#shared.hit(key, periodMs).catch(() => 'late' as const);
    const shared = await within(patienceMs, this.#clock, asked);
    if (shared !== 'late') return shared;
    this.#pausedUntil = this.#clock.monotonic() + pauseMs;
    return own;
  }
}
