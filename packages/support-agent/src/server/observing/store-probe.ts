import type { Clock, SessionStore, StoreHealth } from 'holdfast';
import { within } from '../../within.ts';

const cachedMs = 1_000;
/**
 * A store that takes longer to answer is not healthy, even if it does in the end. Who asks has an
 * answer within a second.
 */
export const patienceMs = 800;

/**
 * The store's health, looked at no more than once a second, and never twice at the same time, however
 * often it is asked for.
 */
export class StoreProbe {
  readonly #store: SessionStore;
  readonly #clock: Clock;
  #last: Look | undefined;
  #isDraining = false;

  constructor(store: SessionStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  async check(): Promise<StoreHealth> {
    const last = this.#last;
    const isFresh = last !== undefined && this.#clock.monotonic() < last.freshUntil;
    const look = isFresh ? last : this.#look();
    const health = await within(patienceMs, this.#clock, look.health);
    return health === 'late' ? asUnhealthy(tooSlow) : health;
  }

  /** No more requests are wanted: the server is about to close. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Whether requests can be served now. */
  async isReady(): Promise<boolean> {
    return !this.#isDraining && (await this.check()).healthy && !this.#isDraining;
  }

  #look(): Look {
    const health = this.#store.healthCheck().catch(asUnhealthy);
    const look: Look = { health, freshUntil: Number.POSITIVE_INFINITY };
    void health.then(() => {
      look.freshUntil = this.#clock.monotonic() + cachedMs;
    });
    this.#last = look;
    return look;
  }
}

interface Look {
  readonly health: Promise<StoreHealth>;
  /** By the clock's monotonic time; infinite until it has ended. */
  freshUntil: number;
}

const tooSlow = new Error(`The store did not answer within ${patienceMs} ms.`);

function asUnhealthy(error: unknown): StoreHealth {
  return {
    healthy: false,
    operations: { set: false, get: false, delete: false },
    error: error instanceof Error ? error.message : String(error),
  };
}
