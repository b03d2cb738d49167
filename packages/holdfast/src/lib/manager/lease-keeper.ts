import type { CancelTimer, Clock } from '../clock.ts';
import {
  type HoldfastError,
  LeaseLostError,
  SessionGoneError,
  TurnInterruptedError,
  TurnTimeoutError,
} from '../errors/errors.ts';
import type { Logger } from '../store/emitter.ts';
import { onAbort } from '../store/on-abort.ts';
import type { Lease, TurnStore } from '../store/turn-store.ts';

export interface LeaseKeeperOptions {
  readonly store: Pick<TurnStore, 'renew' | 'locking'>;
  readonly lease: Lease;
  readonly leaseMs: number;
  /** On the monotonic clock: not later than the lease was granted. */
  readonly grantedAt: number;
  readonly maxMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The caller's own signal. */
  readonly signal: AbortSignal | undefined;
  /** Told once, when the turn must stop. */
  readonly onAbort: (reason: unknown) => void;
}

/** The holder stops this much before its lease can have ended, as a part of the lease. */
const margin = 1 / 20;

/**
 * Keeps a turn's lease: renews it at a third of its length, and aborts `signal` when the turn must
 * stop: its lease is lost, or could be by now, it ran too long, or its caller gave up.
 *
 * The end of the lease is measured on this process's monotonic clock, from before the request was
 * sent. It is therefore never later than the store's own end of it, whatever the two wall clocks say.
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  /** Made when somebody asks for the signal: most turns never do. */
  #controller: AbortController | null = null;
  #aborted: { readonly reason: unknown } | null = null;
  readonly #stopAt: number;
  #lease: Lease;
  #renewAt: number;
  #deadline: number;
  #cancelTimer: CancelTimer | null = null;
  #renewing = false;
  #stopped = false;
  #unlisten: () => void = () => {};

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    const { lease, leaseMs, grantedAt, maxMs, signal } = options;
    this.#lease = lease;
    this.#stopAt = grantedAt + maxMs;
    this.#renewAt = grantedAt + Math.floor(leaseMs / 3);
    this.#deadline = grantedAt + Math.floor(leaseMs * (1 - margin));
    // It may have aborted between the grant and now.
    this.#unlisten = onAbort(signal, () => this.abort(signal?.reason));
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#aborted !== null) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  /** Why the turn must stop; `null` while it may go on. */
  get aborted(): { readonly reason: unknown } | null {
    return this.#aborted;
  }

  /** @throws the reason, once the turn must end. */
  throwIfAborted(): void {
    if (this.#aborted !== null) throw this.#aborted.reason;
  }

  /** @throws the reason, once nothing may be written any more. An interrupted turn may commit once. */
  throwIfRefused(): void {
    if (!(this.#aborted?.reason instanceof TurnInterruptedError)) this.throwIfAborted();
  }

  get lease(): Lease {
    return this.#lease;
  }

  /** Begins to watch the time. */
  start(): void {
    this.#arm();
  }

  /** A commit renewed the lease; `sentAt` is the monotonic time before it was sent. */
  renewed(lease: Lease, sentAt: number): void {
    const deadline = sentAt + Math.floor(this.#options.leaseMs * (1 - margin));
    if (deadline < this.#deadline) return; // the reply to an older request came later
    this.#lease = lease;
    this.#deadline = deadline;
    this.#renewAt = sentAt + Math.floor(this.#options.leaseMs / 3);
  }

  /** Ends the turn for this reason. The first reason stands. */
  abort(reason: unknown): void {
    if (this.#stopped) return; // a notice may come late, when the turn has ended
    this.stop();
    this.#aborted = { reason };
    this.#options.onAbort(reason);
    this.#controller?.abort(reason);
  }

  /** Stops renewing. The turn has ended, or must end. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#unlisten();
  }

  #arm(): void {
    if (this.#stopped) return;
    const { clock, store } = this.#options;
    let next = this.#stopAt;
    if (store.locking) {
      // While a renewal is under way there is only its failure to wait for.
      next = Math.min(next, this.#deadline, this.#renewing ? Infinity : this.#renewAt);
    }
    this.#cancelTimer?.();
    // Rounded up: a timer that fires a fraction early would only be set again.
    const delay = Math.ceil(Math.max(next - clock.monotonic(), 0));
    this.#cancelTimer = clock.setTimer(delay, this.#due);
  }

  readonly #due = () => {
    const { clock, store, maxMs, lease } = this.#options;
    const now = clock.monotonic();
    this.#cancelTimer = null;
    if (now >= this.#stopAt) {
      this.abort(
        new TurnTimeoutError(`The turn in session ${lease.sessionId} ran longer than ${maxMs} ms.`),
      );
      return;
    }
    if (store.locking && now >= this.#deadline) {
      this.abort(
        new LeaseLostError(`The lease on session ${lease.sessionId} could not be renewed in time.`),
      );
      return;
    }
    if (store.locking && now >= this.#renewAt && !this.#renewing) void this.#renew(now);
    this.#arm();
  };

  async #renew(sentAt: number): Promise<void> {
    const { store, leaseMs, clock, logger } = this.#options;
    this.#renewing = true;
    try {
      const lease = await store.renew(this.#lease, leaseMs);
      if (!this.#stopped) this.renewed(lease, sentAt);
    } catch (error) {
      if (isFinal(error)) this.abort(error);
      // Any other failure may pass: try again until the deadline decides.
      else {
        logger.warn({ err: error, sessionId: this.#lease.sessionId }, 'Failed to renew a lease');
        this.#renewAt = clock.monotonic() + Math.ceil(leaseMs / 12);
      }
    } finally {
      this.#renewing = false;
      this.#arm();
    }
  }
}

/** Whether the error says that the lease is gone for good. */
function isFinal(error: unknown): error is HoldfastError {
  return (
    error instanceof LeaseLostError ||
    error instanceof TurnInterruptedError ||
    error instanceof SessionGoneError
  );
}
