import { ValidationError } from '../../errors/errors.ts';
import type { JsonValue } from '../../json/json-value.ts';
import { jsonBytes } from '../../json/json-value.ts';
import { maxOutcomeBytes } from '../../model/limits.ts';
import { applyPatch } from '../../model/state.ts';
import { endsTurn, type PreparedOutput, type TurnEvent } from '../../model/turn-event.ts';
import {
  type CommitResult,
  type EffectNames,
  type Idempotency,
  type Lease,
  type TurnChanges,
  type TurnEnd,
  turnId,
} from '../../store/turn-store.ts';
import type { RedisArgument } from '../connection/redis-connection.ts';
import { int, text } from '../connection/reply.ts';
import type { RedisCore } from '../core/redis-core.ts';
import { completing, gone, interrupted, leaseLost } from '../core/refusals.ts';
import type { Snapshot } from '../known/snapshot.ts';
import { none } from '../layout/header.ts';
import { word } from '../layout/keys.ts';
import { digestWords } from '../layout/request-digests.ts';
import { scripts } from '../scripts/scripts.ts';
import type { Writes } from '../writes/writes.ts';
import type { Leases } from './leases.ts';

const keepKeys = 9;

/** What is written under a lease, and what each write must prove. */
export class Turns<Metadata extends object> {
  readonly #core: RedisCore<Metadata>;
  readonly #writes: Writes<Metadata>;
  readonly #leases: Leases<Metadata>;

  constructor(core: RedisCore<Metadata>, writes: Writes<Metadata>, leases: Leases<Metadata>) {
    this.#core = core;
    this.#writes = writes;
    this.#leases = leases;
  }

  async renew(lease: Lease, leaseMs: number): Promise<Lease> {
    if (!this.#core.options.locking) {
      const stored = await this.#core.stored.read(lease.sessionId);
      if (stored?.header.incarnation !== lease.incarnation) throw gone(lease.sessionId);
      return lease;
    }
    const until = await this.#keep(lease, ['renew', String(leaseMs)], lease.nonce);
    return Object.freeze({ ...lease, expiresAt: until });
  }

  async emit(lease: Lease, output: readonly PreparedOutput[], nonce: string): Promise<void> {
    await this.#keep(lease, ['output', word(nonce), ...this.#output(lease, output)], nonce);
  }

  async #keep(lease: Lease, args: readonly RedisArgument[], nonce: string): Promise<number> {
    const { sessionId: id } = lease;
    const owner = this.#core.options.locking ? word(lease.nonce) : none;
    const answer = await this.#core.calls.run(
      scripts.keep,
      id,
      keepKeys,
      [...this.#core.calls.common(id), lease.incarnation, owner, String(lease.fence), ...args],
      nonce,
    );
    const kind = text(answer.reply[0]);
    if (kind === 'kept') return int(answer.reply[1]);
    if (kind === 'gone') throw gone(id);
    throw kind === 'interrupted' ? interrupted(id) : leaseLost(id);
  }

  async commit(lease: Lease, changes: TurnChanges, end: TurnEnd): Promise<CommitResult<Metadata>> {
    const { sessionId: id } = lease;
    const { patches = [] } = changes;
    const sections: RedisArgument[] = [];
    if (lease.idempotency !== undefined) {
      sections.push(...this.#keySection(lease, lease.idempotency, changes.effects ?? [], end));
    }
    if (changes.output !== undefined && changes.output.length > 0) {
      sections.push('output', ...this.#output(lease, changes.output));
    }
    const known = this.#leases.get(lease.nonce);
    const firstTriedAt = known?.commits.has(changes.nonce) ? undefined : known?.version;
    known?.commits.add(changes.nonce);
    const written = await this.#writes.write(id, {
      operation: 'commit',
      nonce: changes.nonce,
      firstTriedAt,
      lease,
      keepMs: end.keep ? end.leaseMs : undefined,
      state: patches.length === 0 ? undefined : (state) => patches.reduce(applyPatch, state),
      increments: changes.increments,
      messages: changes.messages,
      sections,
    });
    const { after, leaseUntil, messages } = written;
    const { locking } = this.#core.options;
    const goesOn = end.keep && (!locking || leaseUntil > 0);
    if (!goesOn) this.#leases.forget(lease);
    else if (known !== undefined) known.version = after.header.version;
    this.#leases.handovers.saw(id, after.header);
    const snapshot = after.snapshot ?? (await this.#snapshotAfter(lease, changes.nonce));
    const expiresAt = leaseUntil === 0 ? lease.expiresAt : leaseUntil;
    const view = () => this.#core.stored.view(id, { ...after, snapshot }, leaseUntil);
    return Object.freeze({
      get session() {
        return view();
      },
      state: snapshot.state,
      messages,
      lastSeq: after.header.lastSeq,
      lease: goesOn
        ? Object.freeze({ ...lease, expiresAt, ifVersion: locking ? null : after.header.version })
        : null,
    });
  }

  /** @throws SessionGoneError when the session has ended since, and what was committed with it */
  async #snapshotAfter(
    { sessionId: id, incarnation }: Lease,
    nonce: string,
  ): Promise<Snapshot<Metadata>> {
    const stored = await completing(nonce, this.#core.stored.read(id));
    if (stored?.header.incarnation !== incarnation) throw gone(id);
    return stored.snapshot;
  }

  /** Gives the lease up and writes nothing but `output`. */
  async release(lease: Lease, output: readonly PreparedOutput[] = []): Promise<boolean> {
    this.#leases.forget(lease);
    if (!this.#core.options.locking) return this.#releaseUnlocked(lease, output);
    return this.#leases.leave(lease.sessionId, word(lease.nonce), [
      'lease',
      lease.incarnation,
      String(lease.fence),
      ...this.#output(lease, output),
    ]);
  }

  async #releaseUnlocked(lease: Lease, output: readonly PreparedOutput[]): Promise<boolean> {
    const stored = await this.#core.stored.read(lease.sessionId);
    if (stored?.header.incarnation !== lease.incarnation) return false;
    if (output.length > 0) await this.emit(lease, output, `${lease.nonce}-end`);
    return true;
  }

  #output(lease: Lease, output: readonly PreparedOutput[]): RedisArgument[] {
    const starts = output.some(({ type }) => type === 'turn.started');
    const last = output.at(-1);
    const ends = last !== undefined && endsTurn(last as unknown as TurnEvent);
    const { sessionId, incarnation } = lease;
    const place = { sessionId, incarnation, position: turnId(lease) };
    return [starts ? '1' : '0', ends ? '1' : '0', ...this.#core.records.output(output, place)];
  }

  #keySection(
    { sessionId, incarnation }: Lease,
    idempotency: Idempotency,
    effects: EffectNames,
    end: TurnEnd,
  ): RedisArgument[] {
    const key = word(idempotency.key);
    const place = { sessionId, incarnation, position: key };
    const { codec, records } = this.#core;
    const outcome = end.keep ? undefined : end.outcome;
    const done = end.keep ? '0' : outcome === undefined ? '2' : '1';
    if (outcome !== undefined) assertOutcomeFits(outcome);
    return [
      'key',
      key,
      digestWords(codec, sessionId, idempotency)[0],
      // The outcome says all that a repeat must know.
      end.keep ? records.effects(effects, place) : none,
      done,
      outcome === undefined ? '' : records.outcome(outcome, place),
    ];
  }
}

function assertOutcomeFits(outcome: JsonValue): void {
  const size = jsonBytes(outcome);
  if (size <= maxOutcomeBytes) return;
  throw new ValidationError(
    `The turn returned ${size} bytes of JSON; at most ${maxOutcomeBytes} are stored under an idempotency key.`,
  );
}
