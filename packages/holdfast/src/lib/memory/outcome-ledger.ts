import { IdempotencyMismatchError } from '../errors/errors.ts';
import { type JsonValue, jsonBytes } from '../json/json-value.ts';
import { maxOutcomeBytes, maxOutcomes } from '../model/limits.ts';
import type { EffectNames, Idempotency } from '../store/turn-store.ts';
import type { Sealer } from './sealer.ts';

interface Done {
  readonly outcome: JsonValue | undefined;
}

/** An outcome that is kept through a codec, and its size without that. */
interface SealedDone {
  readonly sealed: Buffer;
  readonly bytes: number;
}

interface Entry {
  readonly requestDigest: string;
  attempts: number;
  effects: EffectNames;
  /** Whether an attempt has stored anything: it may have had no effects to tell apart. */
  checkpointed: boolean;
  /** Set when the turn has ended: its outcome, or `undefined` if it returned nothing. */
  done: Done | SealedDone | null;
  bytes: number;
  expiresAt: number;
}

export const noEffects: EffectNames = Object.freeze([]);

/**
 * What is known of a session's keyed turns. An entry opens when an attempt begins and is done when
 * one commits; it goes with its time to live, or as the oldest when there are too many.
 */
export class OutcomeLedger {
  readonly #ttlMs: number;
  readonly #sealer: Sealer | null;
  /** In the order of `expiresAt`: an entry that gets a new one moves to the end. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(ttlMs: number, sealer: Sealer | null = null) {
    this.#ttlMs = ttlMs;
    this.#sealer = sealer;
  }

  /**
   * The stored outcome of the key, or `null` when the turn must run.
   * @throws IdempotencyMismatchError when the key is known with another request.
   */
  find({ key, requestDigest }: Idempotency, now: number): Done | null {
    this.#prune(now);
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    if (entry.requestDigest !== requestDigest) {
      throw new IdempotencyMismatchError('This idempotency key was used for another request.');
    }
    return entry.done === null ? null : this.#open(key, entry.done);
  }

  /** Counts an attempt, and says what the earlier ones have stored. */
  open(
    { key, requestDigest }: Idempotency,
    now: number,
  ): { attempt: number; effects: EffectNames } {
    const entry = this.#entries.get(key);
    const attempts = (entry?.attempts ?? 0) + 1;
    const effects = entry?.effects ?? noEffects;
    const checkpointed = entry?.checkpointed ?? false;
    this.#put(
      key,
      { requestDigest, attempts, effects, checkpointed, done: null, bytes: 0, expiresAt: 0 },
      now,
    );
    return { attempt: attempts, effects };
  }

  /** Adds what the running attempt has stored. */
  checkpoint({ key, requestDigest }: Idempotency, added: EffectNames, now: number): void {
    const entry = this.#entries.get(key);
    // Without locking a rival of the same key may have ended, or abandoned, what this one opened.
    if (entry?.done) return;
    const attempts = entry?.attempts ?? 1;
    const effects = Object.freeze([...(entry?.effects ?? noEffects), ...added]);
    this.#put(
      key,
      { requestDigest, attempts, effects, checkpointed: true, done: null, bytes: 0, expiresAt: 0 },
      now,
    );
  }

  /** Records the outcome; nothing of the attempts is needed any more. */
  complete({ key, requestDigest }: Idempotency, outcome: JsonValue | undefined, now: number): void {
    const attempts = this.#entries.get(key)?.attempts ?? 1;
    const done = this.#seal(key, outcome);
    this.#put(
      key,
      {
        requestDigest,
        attempts,
        effects: noEffects,
        checkpointed: true,
        done,
        bytes: 0,
        expiresAt: 0,
      },
      now,
    );
  }

  /**
   * A failed attempt is forgotten if it is the first and has stored nothing. Otherwise the next one
   * must know.
   */
  abandon(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.done !== null) return;
    if (!entry.checkpointed && entry.attempts === 1) this.#remove(key, entry);
  }

  #seal(key: string, outcome: JsonValue | undefined): Done | SealedDone {
    if (this.#sealer === null || outcome === undefined) return { outcome };
    return { sealed: this.#sealer.seal(outcome, 'outcome', key), bytes: outcomeBytes(outcome) };
  }

  #open(key: string, done: Done | SealedDone): Done {
    if (this.#sealer === null || !('sealed' in done)) return done as Done;
    return { outcome: this.#sealer.open(done.sealed, 'outcome', key) };
  }

  #put(key: string, entry: Entry, now: number): void {
    const old = this.#entries.get(key);
    if (old !== undefined) this.#remove(key, old);
    entry.bytes = entryBytes(key, entry);
    entry.expiresAt = now + this.#ttlMs;
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
    this.#prune(now);
    for (const [oldest, { bytes }] of this.#entries) {
      if (this.#entries.size <= maxOutcomes && this.#bytes <= maxOutcomeBytes) break;
      if (oldest === key) break;
      this.#entries.delete(oldest);
      this.#bytes -= bytes;
    }
  }

  #prune(now: number): void {
    for (const [key, entry] of this.#entries) {
      if (entry.expiresAt > now) return;
      this.#remove(key, entry);
    }
  }

  #remove(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}

/** The bytes an outcome takes in the ledger's budget. */
export function outcomeBytes(outcome: JsonValue | undefined): number {
  return outcome === undefined ? 0 : jsonBytes(outcome);
}

function entryBytes(key: string, { done, effects, requestDigest }: Entry): number {
  const names = effects.reduce((sum, name) => sum + name.length, 0);
  const bytes = done !== null && 'sealed' in done ? done.bytes : outcomeBytes(done?.outcome);
  return key.length + requestDigest.length + names + bytes;
}
