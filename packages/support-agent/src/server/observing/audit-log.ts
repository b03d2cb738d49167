import { createHmac, randomBytes } from 'node:crypto';
import type { FastifyBaseLogger, FastifyRequest } from 'fastify';
import type { Config, SessionManager } from 'holdfast';
import { readToken } from 'holdfast/http';

/**
 * What becomes of sessions, in the log: created, rotated, ended, expired, a client that differs, a
 * token that was refused. Tokens are told apart by a keyed hash (HMAC-SHA256); users are not named.
 */
export class AuditLog {
  readonly #key: Buffer;

  /** With encryption on, all instances give a token the same hash. */
  constructor({ encryption }: Pick<Config, 'encryption'>) {
    this.#key = encryption?.ring.derive('audit log', 'tokens')[0]?.key ?? randomBytes(32);
  }

  created(request: FastifyRequest, sessionId: string, token: string): void {
    request.log.info({ sessionId, tokenHash: this.#hashOf(token) }, 'session created');
  }

  rotated(request: FastifyRequest, sessionId: string, token: string): void {
    request.log.info({ sessionId, tokenHash: this.#hashOf(token) }, 'session token rotated');
  }

  revoked(request: FastifyRequest, sessionId: string): void {
    request.log.info({ sessionId, tokenHash: this.#given(request) }, 'session ended by request');
  }

  /** A token, or an operator's key, that was wrong. */
  refused(request: FastifyRequest): void {
    request.log.warn({ tokenHash: this.#given(request) }, 'credentials refused');
  }

  /** Tells of what happens to sessions by itself, until what it returns is called. */
  watch(sessions: SessionManager, logger: FastifyBaseLogger): () => void {
    const stops = (['expired', 'evicted', 'deleted'] as const).map((event) =>
      sessions.on(event, ({ sessionId }) => logger.info({ sessionId }, `session ${event}`)),
    );
    stops.push(
      sessions.on('revoked', ({ count }) => logger.info({ count }, 'sessions revoked')),
      sessions.on('lostWrites', (lost) => logger.warn(lost, 'session lost its last writes')),
    );
    return () => {
      for (const stop of stops) stop();
    };
  }

  #given(request: FastifyRequest): string | null {
    const given = readToken(request.headers);
    return given && this.#hashOf(given.token);
  }

  #hashOf(token: string): string {
    return createHmac('sha256', this.#key).update(token).digest('base64url').slice(0, 22);
  }
}
