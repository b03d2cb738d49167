import { damagedRecordRemedy, type ErrorCode, errorRegistry } from './registry.ts';

export interface HoldfastErrorOptions {
  /** The failure underneath, if there was one. */
  readonly cause?: unknown;
}

/**
 * The base of every error that Holdfast throws. `code` is stable across releases, `status` is the
 * HTTP status that fits, and `remedy` says what to do.
 *
 * An aborted wait is not one of these: it rejects with the `reason` of the caller's own signal, as
 * the platform's APIs do.
 */
export abstract class HoldfastError extends Error {
  readonly code: ErrorCode;

  protected constructor(code: ErrorCode, message: string, options?: HoldfastErrorOptions) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.name = errorRegistry[code].className;
  }

  /** The HTTP status that fits this error. */
  get status(): number {
    return errorRegistry[this.code].status;
  }

  /** A short title, the same for every error of this code. */
  get title(): string {
    return errorRegistry[this.code].title;
  }

  /** What to do about it. */
  get remedy(): string {
    return errorRegistry[this.code].remedy;
  }
}

const define = <Code extends ErrorCode>(code: Code) =>
  class extends HoldfastError {
    constructor(message: string, options?: HoldfastErrorOptions) {
      super(code, `${message} ${errorRegistry[code].remedy}`, options);
    }
  };

/** `null` is an answer ("there is none"); this error is the answer to an operation that needs one. */
export class SessionNotFoundError extends define('SESSION_NOT_FOUND') {}
/** The session ended: closed, or deleted or expired under a running turn. */
export class SessionGoneError extends define('SESSION_GONE') {}
/** The wait for the session's lease ran out. The session itself is unharmed. */
export class LockTimeoutError extends define('LOCK_TIMEOUT') {}
/** Somebody else holds the session, and the caller chose not to wait. */
export class SessionBusyError extends define('SESSION_BUSY') {}
/** The fence refused a write. Does not cover an interrupter's takeover: that is `TurnInterruptedError`. */
export class LeaseLostError extends define('LEASE_LOST') {}
/** A turn begun with `onBusy: 'interrupt'` took the session over. */
export class TurnInterruptedError extends define('TURN_INTERRUPTED') {}
/** A compare-and-set found another version than the caller expected. */
export class VersionConflictError extends define('VERSION_CONFLICT') {}
/** The idempotency key is known, with another request. */
export class IdempotencyMismatchError extends define('IDEMPOTENCY_MISMATCH') {}
/** The turn ran longer than `maxSeconds`. Does not cover waiting for the lease: that is `LockTimeoutError`. */
export class TurnTimeoutError extends define('TURN_TIMEOUT') {}
/** Strict fingerprinting refused the client. */
export class FingerprintMismatchError extends define('FINGERPRINT_MISMATCH') {}
/** The same for an unknown session, a malformed token and a wrong one, so that none can be told apart. */
export class InvalidTokenError extends define('INVALID_TOKEN') {}
/** The session's authentication is older than the operation allows. */
export class StepUpRequiredError extends define('STEP_UP_REQUIRED') {}
/** `SESSION_MAX_PER_USER` is reached and the policy is `reject`. */
export class SessionLimitError extends define('SESSION_LIMIT') {}
export interface DecryptionErrorOptions extends HoldfastErrorOptions {
  /** See `DecryptionError.isDamaged`. Default false. */
  readonly isDamaged?: boolean | undefined;
}

/** A stored record failed authentication or its key is not in the ring. */
export class DecryptionError extends HoldfastError {
  /**
   * Whether the record itself is at fault: it was changed, moved, cut off or taken away, so that no key opens
   * it. Otherwise a key or a setting is missing, or it cannot be told (a Fernet token names no key).
   */
  readonly isDamaged: boolean;

  constructor(message: string, options: DecryptionErrorOptions = {}) {
    const { isDamaged = false } = options;
    const remedy = isDamaged ? damagedRecordRemedy : errorRegistry.DECRYPTION.remedy;
    super('DECRYPTION', `${message} ${remedy}`, options);
    this.isDamaged = isDamaged;
  }

  override get remedy(): string {
    return this.isDamaged ? damagedRecordRemedy : super.remedy;
  }
}
/** A setting is malformed, unsafe or contradicts another. */
export class ConfigError extends define('CONFIG') {}
/** The caller's input is malformed, or stored data does not fit the metadata schema. */
export class ValidationError extends define('VALIDATION') {}
/** The store cannot be used now; nothing is known to have been written. */
export class StoreUnavailableError extends define('STORE_UNAVAILABLE') {}
/** `SESSION_MAX_SESSIONS` is reached and nothing may be evicted. */
export class StoreFullError extends define('STORE_FULL') {}

export interface OutcomeUnknownErrorOptions extends HoldfastErrorOptions {
  readonly nonce: string;
  /** What to do instead, where the caller's own call takes no nonce. */
  readonly remedy?: string | undefined;
}

/**
 * A reply was lost and the true outcome could not be learned. Repeating the same call with `nonce`
 * takes effect at most once; of a call that takes none, `remedy` says what is safe.
 */
export class OutcomeUnknownError extends HoldfastError {
  readonly nonce: string;
  readonly #remedy: string;

  constructor(message: string, options: OutcomeUnknownErrorOptions) {
    const remedy = options.remedy ?? errorRegistry.OUTCOME_UNKNOWN.remedy;
    super('OUTCOME_UNKNOWN', `${message} ${remedy}`, options);
    this.nonce = options.nonce;
    this.#remedy = remedy;
  }

  override get remedy(): string {
    return this.#remedy;
  }
}
