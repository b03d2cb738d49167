import {
  SessionBusyError,
  SessionGoneError,
  ValidationError,
  VersionConflictError,
} from '../errors/errors.ts';
import type { JsonValue } from '../json/json-value.ts';
import { maxOutcomeBytes } from '../model/limits.ts';
import type { SessionState } from '../model/session.ts';
import { applyPatch, incremented } from '../model/state.ts';
import { invalidToken, sameHash } from '../model/token.ts';
import type { PreparedOutput } from '../model/turn-event.ts';
import {
  type BeginOptions,
  type CommitResult,
  type Lease,
  type TurnChanges,
  type TurnEnd,
  type TurnGrant,
  type TurnReplay,
  turnId,
} from '../store/turn-store.ts';
import { interrupted, isHeldBy, LeaseDesk, runsOwnTurn } from './lease-desk.ts';
import { type MemoryCore, notFound } from './memory-core.ts';
import { noEffects, outcomeBytes } from './outcome-ledger.ts';
import type { Begun, HeldLease, SessionRecord } from './session-record.ts';

/** The turns that run under leases: what `begin` gives, and what each write must prove. */
export class TurnEngine<Metadata extends object> {
  readonly #core: MemoryCore<Metadata>;
  readonly #desk: LeaseDesk<Metadata>;
  #lastFence = 0;

  constructor(core: MemoryCore<Metadata>) {
    this.#core = core;
    this.#desk = new LeaseDesk(
      core,
      (record, options) => this.#admit(record, options) ?? this.#grant(record, options),
    );
  }

  get waiters(): number {
    return this.#desk.waiters;
  }

  begin(id: string, options: BeginOptions): Begun<Metadata> | Promise<Begun<Metadata>> {
    options.signal?.throwIfAborted();
    const record = this.#core.require(id);
    this.#desk.settle(record);
    // It may have expired with the turn that had kept it.
    if (record.removed) throw notFound(id);
    const { lease } = record;
    if (lease?.nonce === options.nonce && lease.grant !== null) return lease.grant;
    const replay = this.#admit(record, options);
    if (replay !== null) return replay;
    if (!this.#core.options.locking) return this.#grantUnlocked(record, options);
    if (lease === null) return this.#grant(record, options);
    if (options.onBusy === 'reject') {
      throw new SessionBusyError(`A turn is running in session ${id}.`);
    }
    if (options.onBusy === 'interrupt' && !runsOwnTurn(record, options)) {
      this.#desk.interrupt(record);
    }
    return this.#desk.wait(record, options);
  }

  renew(lease: Lease, leaseMs: number): Lease {
    const record = this.#core.requireIncarnation(lease.sessionId, lease.incarnation);
    if (!this.#core.options.locking) return lease;
    const held = this.#desk.requireHeld(record, lease);
    if (held.interrupted) throw interrupted(record.id);
    held.until = this.#core.now() + leaseMs;
    record.heldUntil(held.until);
    this.#core.table.moved(record);
    return Object.freeze({ ...lease, expiresAt: held.until });
  }

  emit(lease: Lease, output: readonly PreparedOutput[], nonce: string): void {
    const record = this.#core.requireIncarnation(lease.sessionId, lease.incarnation);
    const writeName = `emit:${nonce}`;
    if (record.repeated(writeName) !== undefined) return;
    if (this.#core.options.locking) this.#desk.requireHeld(record, lease);
    record.writes.add(writeName, true);
    this.#core.live(record).append(turnId(lease), output, this.#core.now());
  }

  commit(lease: Lease, changes: TurnChanges, end: TurnEnd): CommitResult<Metadata> {
    const core = this.#core;
    const record = core.requireIncarnation(lease.sessionId, lease.incarnation);
    const writeName = `commit:${changes.nonce}`;
    const repeated = record.repeated<CommitResult<Metadata>>(writeName);
    if (repeated !== undefined) return repeated;
    const held = this.#requireWritable(record, lease);

    // All that may fail comes first: from the first write on, nothing throws.
    const idempotency = lease.idempotency;
    const state = this.#patched(record, changes);
    const counters = incrementAll(record.counters, changes.increments);
    if (!end.keep && idempotency !== undefined) assertOutcomeFits(end.outcome);

    const now = core.now();
    core.setState(record, state);
    record.counters = counters;
    const messages =
      changes.messages && changes.messages.length > 0
        ? core.history(record).append(changes.messages, now)
        : [];
    if (idempotency !== undefined) {
      const outcomes = core.outcomes(record);
      if (!end.keep) outcomes.complete(idempotency, end.outcome, now);
      else outcomes.checkpoint(idempotency, changes.effects ?? [], now);
    }
    if (changes.output && changes.output.length > 0) {
      core.live(record).append(turnId(lease), changes.output, now);
    }
    const goesOn = end.keep && held?.interrupted !== true;
    if (held !== null && goesOn) held.until = Math.max(held.until, now + end.leaseMs);
    // The lease of an interrupted turn goes with its checkpoint, and so its output must end.
    if (end.keep && !goesOn) record.live?.failOpenTurn(turnId(lease), 'TURN_INTERRUPTED', now);
    if (held !== null && !goesOn) core.table.setLease(record, null);
    core.written(record);
    const result: CommitResult<Metadata> = Object.freeze({
      session: record.view(core.options.readMetadata),
      state,
      messages,
      lastSeq: record.history?.lastSeq ?? 0,
      lease: goesOn ? this.#leaseAfter(record, lease) : null,
    });
    record.writes.add(writeName, result);
    if (held !== null && !goesOn) this.#desk.endTurn(record);
    return result;
  }

  release(lease: Lease, output: readonly PreparedOutput[] | undefined): boolean {
    const record = this.#core.find(lease.sessionId);
    if (record?.incarnation !== lease.incarnation) return false;
    const { locking } = this.#core.options;
    if (locking) this.#desk.settle(record);
    if (locking && !isHeldBy(record, lease)) return false;
    const idempotency = lease.idempotency;
    if (output !== undefined && output.length > 0) {
      this.#core.live(record).append(turnId(lease), output, this.#core.now());
    }
    if (idempotency !== undefined) record.outcomes?.abandon(idempotency.key);
    if (locking) this.#desk.endTurn(record);
    return true;
  }

  /** Call when readers of the live output begin to wait: a dead producer must end it for them. */
  watch(record: SessionRecord<Metadata>): void {
    this.#desk.settle(record);
    this.#desk.armTimer(record);
  }

  /**
   * Who may come in at all, and whether the turn has run already. Asked before any waiting, and
   * again when the wait is over, for what changed meanwhile.
   */
  #admit(record: SessionRecord<Metadata>, options: BeginOptions): TurnReplay<Metadata> | null {
    const { userId, tokenHash, idempotency } = options;
    if (userId !== undefined && record.state.userId !== userId) throw notFound(record.id);
    if (tokenHash !== undefined && !sameHash(record.credentials.tokenHash, tokenHash)) {
      throw invalidToken();
    }
    const done =
      idempotency === undefined
        ? null
        : this.#core.outcomes(record).find(idempotency, this.#core.now());
    if (done !== null) {
      return Object.freeze({
        kind: 'replayed',
        session: record.view(this.#core.options.readMetadata),
        credentials: record.credentials,
        outcome: done.outcome,
      });
    }
    if (record.state.status === 'closed') {
      throw new SessionGoneError(`The session ${record.id} is closed.`);
    }
    return null;
  }

  #grant(record: SessionRecord<Metadata>, options: BeginOptions): TurnGrant<Metadata> {
    // Throws if the stored metadata does not fit its schema (any more): then no lease is taken.
    record.view(this.#core.options.readMetadata);
    const until = this.#core.now() + options.leaseMs;
    const lease = this.#newLease(record, options, until, null);
    const held: HeldLease<Metadata> = {
      nonce: lease.nonce,
      fence: lease.fence,
      until,
      interrupted: false,
      idempotencyKey: options.idempotency?.key,
      onLost: options.onLost,
      grant: null,
    };
    record.heldUntil(until);
    this.#core.table.setLease(record, held);
    held.grant = this.#grantOf(record, options, lease);
    this.#desk.armTimer(record);
    return held.grant;
  }

  #grantUnlocked(record: SessionRecord<Metadata>, options: BeginOptions): TurnGrant<Metadata> {
    const writeName = `begin:${options.nonce}`;
    const granted = record.repeated<TurnGrant<Metadata>>(writeName);
    if (granted !== undefined) return granted;
    const until = this.#core.now() + options.leaseMs;
    const lease = this.#newLease(record, options, until, record.version);
    const grant = this.#grantOf(record, options, lease);
    record.writes.add(writeName, grant);
    return grant;
  }

  #grantOf(
    record: SessionRecord<Metadata>,
    { idempotency }: BeginOptions,
    lease: Lease,
  ): TurnGrant<Metadata> {
    const opened =
      idempotency === undefined
        ? { attempt: 1, effects: noEffects }
        : this.#core.outcomes(record).open(idempotency, this.#core.now());
    return Object.freeze({
      kind: 'granted',
      lease,
      grantedAt: this.#core.options.clock.monotonic(),
      session: record.view(this.#core.options.readMetadata),
      state: record.state,
      credentials: record.credentials,
      attempt: opened.attempt,
      effects: opened.effects,
      lastSeq: record.history?.lastSeq ?? 0,
      lastEventSeq: record.live?.lastSeq ?? 0,
    });
  }

  #newLease(
    record: SessionRecord<Metadata>,
    { nonce, idempotency }: BeginOptions,
    expiresAt: number,
    ifVersion: number | null,
  ): Lease {
    // Microseconds, or one more than the last: grows over restarts too, like that of Redis.
    this.#lastFence = Math.max(this.#core.now() * 1_000, this.#lastFence + 1);
    return Object.freeze({
      sessionId: record.id,
      incarnation: record.incarnation,
      nonce,
      fence: this.#lastFence,
      expiresAt,
      ifVersion,
      idempotency,
    });
  }

  #leaseAfter(record: SessionRecord<Metadata>, lease: Lease): Lease {
    return record.lease === null
      ? Object.freeze({ ...lease, ifVersion: record.version })
      : Object.freeze({ ...lease, expiresAt: record.lease.until });
  }

  /** The held lease, or `null` without locking. @throws as `commit` does. */
  #requireWritable(record: SessionRecord<Metadata>, lease: Lease) {
    if (this.#core.options.locking) return this.#desk.requireHeld(record, lease);
    if (record.version !== lease.ifVersion) {
      throw new VersionConflictError(
        `The session ${record.id} is at version ${record.version}; the turn began at ${lease.ifVersion}.`,
      );
    }
    return null;
  }

  #patched(record: SessionRecord<Metadata>, { patches }: TurnChanges): SessionState {
    let state = record.state;
    for (const patch of patches ?? []) state = applyPatch(state, patch);
    if (state.metadata !== record.state.metadata) this.#core.options.readMetadata(state.metadata);
    return state;
  }
}

function incrementAll(
  counters: ReadonlyMap<string, number>,
  increments: ReadonlyMap<string, number> | undefined,
): ReadonlyMap<string, number> {
  if (increments === undefined || increments.size === 0) return counters;
  const result = new Map(counters);
  for (const [name, by] of increments) result.set(name, incremented(result, name, by));
  return result;
}

function assertOutcomeFits(outcome: JsonValue | undefined): void {
  const bytes = outcomeBytes(outcome);
  if (bytes > maxOutcomeBytes) {
    throw new ValidationError(
      `The turn returned ${bytes} bytes of JSON; at most ${maxOutcomeBytes} are stored under an idempotency key.`,
    );
  }
}
