import type { Clock, SessionStore, StoreHealth } from 'holdfast';

const cachedMs = 1_000;

/** The store's health, looked at no more than once a second however often it is asked for. */
export class StoreProbe {
  readonly #store: SessionStore;
  readonly #clock: Clock;
  #last: { readonly at: number; readonly health: Promise<StoreHealth> } | undefined;

  constructor(store: SessionStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  check(): Promise<StoreHealth> {
    const now = this.#clock.monotonic();
    if (this.#last === undefined || now - this.#last.at >= cachedMs) {
      this.#last = { at: now, health: this.#store.healthCheck().catch(asUnhealthy) };
    }
    return this.#last.health;
  }
}

function asUnhealthy(error: unknown): StoreHealth {
  return {
    healthy: false,
    operations: { set: false, get: false, delete: false },
    error: error instanceof Error ? error.message : String(error),
  };
}
