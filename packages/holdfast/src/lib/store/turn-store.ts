import type { HoldfastError } from '../errors/errors.ts';
import type { JsonObject, JsonValue } from '../json/json-value.ts';
import type { Message, PreparedMessage } from '../model/message.ts';
import type { Session, SessionCredentials, SessionState } from '../model/session.ts';
import type { ParsedPatch } from '../model/state.ts';
import type { PreparedOutput } from '../model/turn-event.ts';

/** What to do when another turn holds the session. */
export type OnBusy = 'wait' | 'reject' | 'interrupt';

/** The right to write in one session until `expiresAt`, proven by `fence` inside every write. */
export interface Lease {
  readonly sessionId: string;
  /** Which creation of this id the lease is for: a later session of the same id is another. */
  readonly incarnation: string;
  /** The owner's secret name, random. */
  readonly nonce: string;
  /** The fencing token: greater than that of every earlier lease of this id. */
  readonly fence: number;
  /** Milliseconds since the epoch, by the store's clock. */
  readonly expiresAt: number;
  /** Without locking: the version that `commit` must find. */
  readonly ifVersion: number | null;
  readonly idempotency: Idempotency | undefined;
}

/** A turn's public name, unique within its session. */
export function turnId(lease: Pick<Lease, 'fence'>): string {
  return String(lease.fence);
}

/** A keyed turn: repeated under the same key it runs once. */
export interface Idempotency {
  readonly key: string;
  /** Digest of the request; compared with that of the first call under this key. */
  readonly requestDigest: string;
}

export interface BeginOptions {
  /** The owner's name; the same nonce enters again, which makes a lost reply safe to repeat. */
  readonly nonce: string;
  readonly leaseMs: number;
  readonly onBusy: OnBusy;
  /** How long to wait for the lease at most, in milliseconds. */
  readonly waitMs: number;
  /** Refuse a session of another user, before any waiting. */
  readonly userId?: string | undefined;
  /** Refuse another token's session, before any waiting. */
  readonly tokenHash?: string | undefined;
  readonly idempotency?: Idempotency | undefined;
  /**
   * Told, at most once and as soon as it is known, that the lease is being taken away. A notice may
   * be missed: `renew` and `commit` are what decides.
   */
  readonly onLost?: ((reason: HoldfastError) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Names of the appends and increments that are stored under a key: each has its kind, its ordinal
 * among those of its turn, and the digest of its content. One that is stored is not to be sent again.
 */
export type EffectNames = readonly string[];

export interface TurnGrant<Metadata extends object> {
  readonly kind: 'granted';
  readonly lease: Lease;
  /**
   * On this process's monotonic clock, an instant not later than the one at which the store granted
   * the lease: the holder measures its end from here.
   */
  readonly grantedAt: number;
  readonly session: Session<Metadata>;
  /** The session's state as stored, before the metadata schema: what patches apply to. */
  readonly state: SessionState;
  readonly credentials: SessionCredentials;
  /** 1, or more when an earlier attempt under this key stored something or died. */
  readonly attempt: number;
  /** What earlier attempts under the key have stored. */
  readonly effects: EffectNames;
  /** `seq` of the newest message; 0 when there is none. */
  readonly lastSeq: number;
  /** `seq` of the newest live event; 0 when there is none. */
  readonly lastEventSeq: number;
}

export interface TurnReplay<Metadata extends object> {
  readonly kind: 'replayed';
  readonly session: Session<Metadata>;
  readonly credentials: SessionCredentials;
  /** What the turn returned; `undefined` when it returned nothing. */
  readonly outcome: JsonValue | undefined;
}

export interface TurnChanges {
  /** Names this commit: repeated under the same nonce it returns the first one's result. */
  readonly nonce: string;
  readonly patches?: readonly ParsedPatch[];
  readonly increments?: ReadonlyMap<string, number>;
  readonly messages?: readonly PreparedMessage[];
  /** Of a keyed turn's checkpoint: the effects in it. What ends the turn stores its outcome instead. */
  readonly effects?: EffectNames;
  readonly output?: readonly PreparedOutput[];
}

export interface CommitResult<Metadata extends object> {
  /**
   * Reading it throws `ValidationError` where another process has written metadata that do not fit the
   * schema here: that fails no commit.
   */
  readonly session: Session<Metadata>;
  readonly state: SessionState;
  /** The messages of this commit, in their places. */
  readonly messages: readonly Message[];
  readonly lastSeq: number;
  /** The lease from here on; `null` when the commit ended the turn. */
  readonly lease: Lease | null;
}

/**
 * The part of a store that turns run on. `SessionManager` is its user; call it yourself only to
 * build another kind of turn.
 */
export interface TurnStore<Metadata extends object = JsonObject> {
  /** Whether turns take leases. Without them `commit` is a compare-and-set on the version. */
  readonly locking: boolean;
  /** Stored metadata as readers are handed it. @throws ValidationError when it does not fit the schema. */
  readMetadata(stored: JsonObject): Metadata;
  /** Live output is written at most this often, in milliseconds; 0 writes each piece at once. */
  readonly outputIntervalMs: number;

  /**
   * Takes the lease, waiting in order of asking, and loads the session; or returns the outcome that
   * is stored under the idempotency key.
   * @throws SessionNotFoundError, SessionGoneError (closed), InvalidTokenError, SessionBusyError,
   *   LockTimeoutError, IdempotencyMismatchError.
   */
  begin(id: string, options: BeginOptions): Promise<TurnGrant<Metadata> | TurnReplay<Metadata>>;
  /**
   * Extends the lease from now on.
   * @throws LeaseLostError, TurnInterruptedError, SessionGoneError.
   */
  renew(lease: Lease, leaseMs: number): Promise<Lease>;
  /**
   * Writes live output under the lease, as of the turn `turnId(lease)`; once, however often it is
   * repeated under its nonce. Throws as `renew` does.
   */
  emit(lease: Lease, output: readonly PreparedOutput[], nonce: string): Promise<void>;
  /**
   * Writes the changes atomically and, unless `keep`, ends the turn and hands the session to the
   * next waiter. An interrupted holder may commit once, which ends its turn.
   * @throws LeaseLostError, TurnInterruptedError, SessionGoneError, VersionConflictError (without
   *   locking), ValidationError. Whatever it throws, nothing was written, or nothing of it is left
   *   (but OutcomeUnknownError).
   */
  commit(lease: Lease, changes: TurnChanges, end: TurnEnd): Promise<CommitResult<Metadata>>;
  /** Gives the lease up and writes nothing but `output`. Whether it was still held. */
  release(lease: Lease, output?: readonly PreparedOutput[]): Promise<boolean>;
}

/** How a commit leaves the turn: going on (a checkpoint), or ended with its outcome. */
export type TurnEnd =
  | { readonly keep: true; readonly leaseMs: number }
  | { readonly keep: false; readonly outcome: JsonValue | undefined };
