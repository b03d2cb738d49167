import type { HoldfastError } from '../../errors/errors.ts';
import { gone } from '../core/refusals.ts';
import type { InboxOwner } from './inbox.ts';

/** One begin that may have to wait. Messages for it may come at any time. */
export class Wait<Result> implements InboxOwner {
  readonly sessionId: string;
  /** Set when it was woken before it waited. */
  #woken = false;
  #ended: { readonly why: unknown } | null = null;
  #resolve: (() => void) | null = null;
  #reject: ((why: unknown) => void) | null = null;
  #joined: Promise<Result> | null = null;
  #settle: ((outcome: () => Result) => void) | null = null;
  /** Its lease is being taken away; known before the reply that grants it was here. */
  #lost: { readonly reason: HoldfastError; readonly fence: number } | null = null;
  #fence = 0;
  #onLost: ((reason: HoldfastError) => void) | null = null;

  constructor(sessionId: string) {
    this.sessionId = sessionId;
  }

  next(): Promise<void> {
    if (this.#ended !== null) return Promise.reject(this.#ended.why);
    if (this.#woken) {
      this.#woken = false;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  readonly granted = () => {
    if (this.#resolve === null) this.#woken = true;
    this.#resolve?.();
    this.#resolve = null;
    this.#reject = null;
  };

  /** For a repetition of the same begin: what this one will get. */
  join(): Promise<Result> {
    this.#joined ??= new Promise((resolve, reject) => {
      this.#settle = (outcome) => {
        try {
          resolve(outcome());
        } catch (error) {
          reject(error);
        }
      };
    });
    return this.#joined;
  }

  settle(outcome: () => Result): void {
    this.#settle?.(outcome);
  }

  readonly gone = () => this.end(gone(this.sessionId));

  readonly lost = (reason: HoldfastError, fence: number) => {
    this.#lost = { reason, fence };
    this.#tell();
  };

  /** The lease is its own. What took it away meanwhile is told now, anything else once and later. */
  begun(onLost: (reason: HoldfastError) => void, fence: number, taken: HoldfastError | null): void {
    this.#onLost = onLost;
    this.#fence = fence;
    if (taken !== null) this.#lost = { reason: taken, fence };
    queueMicrotask(() => this.#tell());
  }

  #tell(): void {
    const onLost = this.#onLost;
    // An earlier grant that was not claimed in time is no loss of this lease.
    if (this.#lost?.fence !== this.#fence || onLost === null) return;
    this.#onLost = null;
    onLost(this.#lost.reason);
  }

  end(why: unknown): void {
    this.#ended = { why };
    this.#reject?.(why);
    this.#resolve = null;
    this.#reject = null;
  }
}
