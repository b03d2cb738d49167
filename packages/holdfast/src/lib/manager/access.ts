import {
  FingerprintMismatchError,
  SessionNotFoundError,
  ValidationError,
} from '../errors/errors.ts';
import type { Session, SessionCredentials } from '../model/session.ts';
import {
  type IssuedToken,
  invalidToken,
  issueToken,
  parseToken,
  sameHash,
} from '../model/token.ts';
import type { Emitter, Logger } from '../store/emitter.ts';
import type { ClientBinding, ClientInfo } from './client-binding.ts';
import type { SessionEvents } from './session-events.ts';

export interface AccessOptions {
  readonly binding: ClientBinding;
  /** Refuse a client that does not match, instead of only reporting it. */
  readonly strict: boolean;
  readonly events: Emitter<SessionEvents>;
  readonly logger: Logger;
}

/** Who may use a session. Every check of a user, a token or a client is made here. */
export class Access {
  readonly #options: AccessOptions;

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /** Credentials for a new session or a new token, bound to the client if there is one. */
  issue(
    sessionId: string,
    client: ClientInfo | undefined,
    now: number,
  ): { credentials: SessionCredentials; token: string } {
    const { token, hash }: IssuedToken = issueToken(sessionId);
    return {
      token,
      credentials: { ...this.bind(client), tokenHash: hash, authenticatedAt: now },
    };
  }

  /** Credentials without a token, for a session that only this process's code reaches. */
  bind(client: ClientInfo | undefined): SessionCredentials {
    const clientBinding = client === undefined ? null : this.#options.binding.capture(client);
    return { tokenHash: null, authenticatedAt: null, clientBinding };
  }

  /** A claim to be `userId` must be right; making none is the caller's own affair. */
  checkUser(session: { id: string; userId: string | null }, userId: string | undefined): void {
    if (userId === undefined || session.userId === userId) return;
    throw new SessionNotFoundError(`There is no session ${session.id} here.`);
  }

  /**
   * The session that the token is for, and its hash for the store to compare.
   * @throws InvalidTokenError unless it is a token, and one of `sessionId` if that is given.
   */
  readToken(token: unknown, sessionId?: string): { sessionId: string; hash: string } {
    const parsed = parseToken(token);
    if (parsed === null || (sessionId !== undefined && parsed.sessionId !== sessionId)) {
      throw invalidToken();
    }
    return parsed;
  }

  /** @throws InvalidTokenError, also when there is no session: the two can't be told apart. */
  checkToken<Stored extends { credentials: SessionCredentials }>(
    stored: Stored | null,
    hash: string,
  ): Stored {
    if (stored === null || !sameHash(stored.credentials.tokenHash, hash)) throw invalidToken();
    return stored;
  }

  /** Whether `checkClient` may throw. */
  mayRefuse(client: ClientInfo | undefined): boolean {
    return this.#options.strict && client !== undefined;
  }

  /**
   * What differs between the client that the session is bound to and this one.
   * @throws FingerprintMismatchError when something does and the binding is strict.
   */
  checkClient<Metadata extends object>(
    session: Session<Metadata>,
    credentials: SessionCredentials,
    client: ClientInfo | undefined,
  ): readonly string[] {
    const { binding, strict, events, logger } = this.#options;
    if (client === undefined || credentials.clientBinding === null) return [];
    const differing = binding.differences(credentials.clientBinding, client);
    if (differing.length === 0) return differing;
    const message = `Session fingerprint mismatch for ${session.id}`;
    logger.warn({ sessionId: session.id, differing }, message);
    events.emit('fingerprintMismatch', { sessionId: session.id, differing, refused: strict });
    if (strict) throw new FingerprintMismatchError(`${message}: ${differing.join(', ')} changed.`);
    return differing;
  }
}

/** @throws ValidationError unless both parts are strings, where they are given. */
export function assertClient(client: unknown): asserts client is ClientInfo | undefined {
  if (client === undefined) return;
  if (typeof client !== 'object' || client === null) {
    throw new ValidationError('client must be an object with ipAddress and userAgent.');
  }
  for (const field of ['ipAddress', 'userAgent'] as const) {
    const value: unknown = (client as ClientInfo)[field];
    if (value !== undefined && typeof value !== 'string') {
      throw new ValidationError(`client.${field} must be a string.`);
    }
  }
}
