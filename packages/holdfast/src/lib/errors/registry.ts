/**
 * Every failure that Holdfast reports, in one place: its stable code, the HTTP status it maps to,
 * a title, and what to do about it. `docs/errors.md` is generated from this table and a test holds
 * the two together.
 */
export const errorRegistry = {
  SESSION_NOT_FOUND: {
    className: 'SessionNotFoundError',
    status: 404,
    title: 'Session not found',
    remedy:
      'Create the session first, or start a new one: it never existed, has expired, was deleted, or belongs to another user.',
  },
  SESSION_GONE: {
    className: 'SessionGoneError',
    status: 410,
    title: 'Session is over',
    remedy:
      'Start a new session: this one was closed, deleted or expired, and takes no more turns.',
  },
  LOCK_TIMEOUT: {
    className: 'LockTimeoutError',
    status: 503,
    title: 'Waited too long for the session',
    remedy:
      'Retry later, or raise SESSION_LOCK_WAIT_SECONDS above the time that the turns ahead may take.',
  },
  SESSION_BUSY: {
    className: 'SessionBusyError',
    status: 409,
    title: 'Session is busy',
    remedy:
      "Retry when the running turn has ended, or let the call queue with onBusy: 'wait'. Inside a turn, use its turn object instead of a second turn.",
  },
  LEASE_LOST: {
    className: 'LeaseLostError',
    status: 409,
    title: 'The turn lost its lease',
    remedy:
      'Run the turn again under the same idempotency key: nothing after its last checkpoint was written.',
  },
  TURN_INTERRUPTED: {
    className: 'TurnInterruptedError',
    status: 409,
    title: 'The turn was interrupted',
    remedy:
      'Nothing to repair: a newer turn took the session over, and what came after the last checkpoint was dropped.',
  },
  VERSION_CONFLICT: {
    className: 'VersionConflictError',
    status: 409,
    title: 'The session has changed',
    remedy: 'Read the session again and repeat the change on what is there now.',
  },
  IDEMPOTENCY_MISMATCH: {
    className: 'IdempotencyMismatchError',
    status: 422,
    title: 'Idempotency key used for another request',
    remedy: 'Use a new key for a new request, and repeat a request unchanged under its own key.',
  },
  TURN_TIMEOUT: {
    className: 'TurnTimeoutError',
    status: 504,
    title: 'The turn took too long',
    remedy:
      'Make the work shorter, checkpoint it in parts, or raise SESSION_TURN_MAX_SECONDS (or maxSeconds).',
  },
  FINGERPRINT_MISMATCH: {
    className: 'FingerprintMismatchError',
    status: 403,
    title: 'The client does not match the session',
    remedy: 'Start a new session from this client.',
  },
  INVALID_TOKEN: {
    className: 'InvalidTokenError',
    status: 401,
    title: 'Session token missing or not valid',
    remedy: 'Send the token of this session, or start a new session.',
  },
  STEP_UP_REQUIRED: {
    className: 'StepUpRequiredError',
    status: 401,
    title: 'A fresh authentication is needed',
    remedy: 'Authenticate the user again, rotate the session token, and repeat the request.',
  },
  SESSION_LIMIT: {
    className: 'SessionLimitError',
    status: 429,
    title: 'Too many sessions for this user',
    remedy:
      'End one of the user’s sessions, raise SESSION_MAX_PER_USER, or set SESSION_MAX_PER_USER_POLICY=evict_oldest.',
  },
  DECRYPTION: {
    className: 'DecryptionError',
    status: 500,
    title: 'A stored record could not be decrypted',
    remedy: 'Check that the key ring holds the key that wrote the record; nothing was overwritten.',
  },
  CONFIG: {
    className: 'ConfigError',
    status: 500,
    title: 'The configuration is not valid',
    remedy: 'Correct the settings that the message names.',
  },
  VALIDATION: {
    className: 'ValidationError',
    status: 400,
    title: 'The input is not valid',
    remedy: 'Correct the value that the message names.',
  },
  STORE_UNAVAILABLE: {
    className: 'StoreUnavailableError',
    status: 503,
    title: 'The session store is unavailable',
    remedy: 'Retry shortly; if it lasts, check that the store is running and reachable.',
  },
  OUTCOME_UNKNOWN: {
    className: 'OutcomeUnknownError',
    status: 503,
    title: 'The outcome of a write is unknown',
    remedy: 'Repeat the same call with the nonce of this error: it takes effect at most once.',
  },
  STORE_FULL: {
    className: 'StoreFullError',
    status: 507,
    title: 'The session store is full',
    remedy:
      'Raise SESSION_MAX_SESSIONS or shorten SESSION_TIMEOUT_MINUTES: every session is in a turn.',
  },
} as const;

export type ErrorCode = keyof typeof errorRegistry;

/** What to do about a `DECRYPTION` that no key mends (`DecryptionError.isDamaged`). */
export const damagedRecordRemedy =
  'Let nothing else write to the keys of Redis that are Holdfast’s, and bring the session back from a backup, or delete it; Holdfast has overwritten nothing.';
