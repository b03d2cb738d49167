import type { BeginOptions } from '../store/turn-store.ts';
import { type Linked, LinkedList } from './linked-list.ts';

/** One that waits for a session's lease. It leaves the queue by exactly one of the two. */
export interface Waiter extends Linked<Waiter> {
  readonly options: BeginOptions;
  /** Tries to give it the lease. `false` if it did not take it: the next one is asked. */
  readonly offer: () => boolean;
  readonly fail: (error: unknown) => void;
}

/** Waiters in the order in which they asked; interrupters, among themselves in order, go first. */
export class WaitQueue {
  readonly #waiters = new LinkedList<Waiter>();
  readonly #begun = new Map<string, Promise<unknown>>();
  #lastInterrupter: Waiter | null = null;

  get size(): number {
    return this.#waiters.size;
  }

  get first(): Waiter | null {
    return this.#waiters.first;
  }

  /** What the waiter of this nonce will get: one that asks again does not wait behind itself. */
  joined<Begun>(nonce: string): Promise<Begun> | undefined {
    return this.#begun.get(nonce) as Promise<Begun> | undefined;
  }

  join(nonce: string, begun: Promise<unknown>): void {
    this.#begun.set(nonce, begun);
  }

  add(waiter: Waiter): void {
    if (waiter.options.onBusy !== 'interrupt') {
      this.#waiters.append(waiter);
      return;
    }
    this.#waiters.insertAfter(this.#lastInterrupter, waiter);
    this.#lastInterrupter = waiter;
  }

  remove(waiter: Waiter): void {
    // Interrupters stand together at the front: the one before is another, or there is none.
    if (this.#lastInterrupter === waiter) this.#lastInterrupter = waiter.previous;
    this.#waiters.remove(waiter);
    this.#begun.delete(waiter.options.nonce);
  }

  shift(): Waiter | null {
    const first = this.#waiters.first;
    if (first !== null) this.remove(first);
    return first;
  }
}
