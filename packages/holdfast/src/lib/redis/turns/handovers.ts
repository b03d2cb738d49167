import type { CancelTimer, Clock } from '../../clock.ts';
import type { Header } from '../layout/header.ts';

/** A little more than a waiter has to claim what it was granted (`CLAIM_MS` in `hand-over.lua`). */
const lapsedMs = 2_050;

/**
 * Watches over leases that this instance has handed to waiters: one that is paused does not claim
 * its own, and those behind it must not wait for more than the claim's time.
 */
export class Handovers {
  readonly #clock: Clock;
  readonly #passOn: (id: string) => void;
  readonly #watched = new Map<string, { readonly fence: number; readonly cancel: CancelTimer }>();

  constructor(clock: Clock, passOn: (id: string) => void) {
    this.#clock = clock;
    this.#passOn = passOn;
  }

  /** Call with every header that this instance gets to see of a session with leases. */
  saw(id: string, { fence, unclaimed, queued }: Header): void {
    const watched = this.#watched.get(id);
    const matters = unclaimed && queued;
    if (watched === undefined && !matters) return;
    if (watched?.fence === fence && matters) return;
    watched?.cancel();
    this.#watched.delete(id);
    if (!matters) return;
    const cancel = this.#clock.setTimer(
      lapsedMs,
      () => {
        this.#watched.delete(id);
        this.#passOn(id);
      },
      { background: true },
    );
    this.#watched.set(id, { fence, cancel });
  }

  close(): void {
    for (const { cancel } of this.#watched.values()) cancel();
    this.#watched.clear();
  }
}
