import { LeaseLostError, LockTimeoutError, TurnInterruptedError } from '../errors/errors.ts';
import { interruptGraceMs } from '../model/limits.ts';
import { onAbort } from '../store/on-abort.ts';
import { type BeginOptions, type Lease, turnId } from '../store/turn-store.ts';
import { type MemoryCore, notifyLost } from './memory-core.ts';
import type { Begun, HeldLease, SessionRecord } from './session-record.ts';
import { type Waiter, WaitQueue } from './wait-queue.ts';

/** Interrupted turns of a session whose holders can still be told why they are refused. */
const interruptedKept = 8;

/** Lets one in that has come to the head of the queue, or throws what refuses it. */
type Enter<Metadata extends object> = (
  record: SessionRecord<Metadata>,
  options: BeginOptions,
) => Begun<Metadata>;

/** Who holds a session, who waits for it, and how it goes from one to the next. */
export class LeaseDesk<Metadata extends object> {
  readonly #core: MemoryCore<Metadata>;
  readonly #enter: Enter<Metadata>;
  #waiters = 0;

  constructor(core: MemoryCore<Metadata>, enter: Enter<Metadata>) {
    this.#core = core;
    this.#enter = enter;
  }

  get waiters(): number {
    return this.#waiters;
  }

  /** @throws LeaseLostError, TurnInterruptedError. */
  requireHeld(record: SessionRecord<Metadata>, lease: Lease): HeldLease<Metadata> {
    const held = record.lease;
    if (held !== null && isHeldBy(record, lease)) {
      if (held.until > this.#core.now()) return held;
      const error = held.interrupted ? interrupted(record.id) : leaseLost(record.id);
      this.settle(record);
      throw error;
    }
    throw record.interruptedFences.includes(lease.fence)
      ? interrupted(record.id)
      : leaseLost(record.id);
  }

  /** Queues for the lease. @throws (as a rejection) LockTimeoutError, and what `enter` does. */
  wait(record: SessionRecord<Metadata>, options: BeginOptions): Promise<Begun<Metadata>> {
    record.queue ??= new WaitQueue();
    const queue = record.queue;
    const joined = queue.joined<Begun<Metadata>>(options.nonce);
    if (joined !== undefined) return joined;
    const begun = new Promise<Begun<Metadata>>((resolve, reject) => {
      const left = () => {
        this.#waiters -= 1;
        cancelTimer();
        unlisten();
      };
      const waiter: Waiter = {
        options,
        previous: null,
        next: null,
        offer: () => {
          left();
          try {
            const begun = this.#enter(record, options);
            resolve(begun);
            return begun.kind === 'granted';
          } catch (error) {
            reject(error);
            return false;
          }
        },
        fail: (error) => {
          left();
          reject(error);
        },
      };
      const aborted = () => {
        queue.remove(waiter);
        waiter.fail(options.signal?.reason);
      };
      const cancelTimer = this.#core.options.clock.setTimer(options.waitMs, () => {
        queue.remove(waiter);
        waiter.fail(
          new LockTimeoutError(
            `Failed to acquire lock for session ${record.id} within ${options.waitMs} ms.`,
          ),
        );
      });
      const unlisten = onAbort(options.signal, aborted);
      this.#waiters += 1;
      queue.add(waiter);
      this.armTimer(record);
    });
    queue.join(options.nonce, begun);
    return begun;
  }

  /** The holder may commit once more, within the grace; then the interrupter has the session. */
  interrupt(record: SessionRecord<Metadata>): void {
    const held = record.lease;
    if (held === null || held.interrupted) return;
    held.interrupted = true;
    held.until = this.#core.now() + interruptGraceMs;
    record.interruptedFences = [...record.interruptedFences, held.fence].slice(-interruptedKept);
    record.cancelLeaseTimer?.();
    record.cancelLeaseTimer = null;
    notifyLost(held, interrupted(record.id));
  }

  /** Ends a turn whose lease has run out, and lets the next waiter in. */
  settle(record: SessionRecord<Metadata>): void {
    const held = record.lease;
    if (record.removed || held === null || held.until > this.#core.now()) return;
    const error = held.interrupted ? interrupted(record.id) : leaseLost(record.id);
    record.live?.failOpenTurn(turnId(held), error.code, this.#core.now());
    notifyLost(held, error);
    this.endTurn(record);
  }

  /**
   * Takes the lease away and gives it to the first waiter that takes it. A session that only the
   * turn kept from expiring expires with it.
   */
  endTurn(record: SessionRecord<Metadata>): void {
    record.cancelLeaseTimer?.();
    record.cancelLeaseTimer = null;
    record.turnEnded();
    this.#core.table.setLease(record, null);
    if (record.expiresAt <= this.#core.now()) {
      this.#core.remove(record, 'expired');
      return;
    }
    let waiter = record.queue?.shift() ?? null;
    while (waiter !== null && !waiter.offer()) waiter = record.queue?.shift() ?? null;
    // An interrupter that had another one ahead of it interrupts that one now.
    if (isToBeInterrupted(record)) {
      this.interrupt(record);
      this.armTimer(record);
    }
  }

  /** While somebody waits for the end of this lease, it is noticed when it comes. */
  armTimer(record: SessionRecord<Metadata>): void {
    if (record.lease === null || record.cancelLeaseTimer !== null) return;
    if ((record.queue?.size ?? 0) === 0 && record.live?.hasReaders !== true) return;
    record.cancelLeaseTimer = this.#core.options.clock.setTimer(
      record.lease.until - this.#core.now(),
      () => {
        record.cancelLeaseTimer = null;
        this.settle(record);
        this.armTimer(record);
      },
      { background: true },
    );
  }
}

export function isHeldBy<Metadata extends object>(
  record: SessionRecord<Metadata>,
  lease: Lease,
): boolean {
  return record.lease?.nonce === lease.nonce && record.lease.fence === lease.fence;
}

/** Whether a turn of its own key runs: a repeat does not interrupt it, and waits for its outcome. */
export function runsOwnTurn<Metadata extends object>(
  { lease }: SessionRecord<Metadata>,
  { idempotency }: BeginOptions,
): boolean {
  return idempotency !== undefined && idempotency.key === lease?.idempotencyKey;
}

/** Whether an interrupter waits for the holder; they stand together at the front. */
function isToBeInterrupted<Metadata extends object>(record: SessionRecord<Metadata>): boolean {
  let waiter = record.queue?.first ?? null;
  while (waiter !== null && waiter.options.onBusy === 'interrupt') {
    if (!runsOwnTurn(record, waiter.options)) return true;
    waiter = waiter.next;
  }
  return false;
}

function leaseLost(id: string): LeaseLostError {
  return new LeaseLostError(`The lease on session ${id} has ended, so the write was refused.`);
}

export function interrupted(id: string): TurnInterruptedError {
  return new TurnInterruptedError(`A newer turn interrupted this one in session ${id}.`);
}
