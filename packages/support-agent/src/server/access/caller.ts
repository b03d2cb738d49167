import { timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import {
  type ClientInfo,
  type Secret,
  type Session,
  type SessionManager,
  SessionNotFoundError,
} from 'holdfast';
import { clientFrom, type ProxyTrust, readToken, trustProxies } from 'holdfast/http';
import { isSecure } from '../cookies.ts';
import { HttpProblem } from '../errors/http-problem.ts';

/** Who sends a request: an operator, or a customer with the token of one session (or without any). */
export type Caller =
  | { readonly operator: true }
  | {
      readonly operator: false;
      /** Empty when there was none. */
      readonly token: string;
    };

export interface GateOptions {
  readonly sessions: SessionManager;
  readonly operatorKey: Secret;
  /** What else may read `/metrics`. */
  readonly metricsToken?: Secret | undefined;
  readonly trustedProxies: readonly string[] | number;
}

/** The one place that decides whose request it is and which session it may touch. */
export class Gate {
  readonly #sessions: SessionManager;
  readonly #operatorKey: Secret;
  readonly #metricsToken: Secret | undefined;
  readonly #trust: ProxyTrust;
  /** What was found out about requests, and with which key: a stream may outlast that. */
  readonly #known = new WeakMap<
    FastifyRequest,
    { readonly key: string; readonly caller: Caller }
  >();

  /** @throws ConfigError for a proxy that is no address or range. */
  constructor(options: GateOptions) {
    this.#sessions = options.sessions;
    this.#operatorKey = options.operatorKey;
    this.#metricsToken = options.metricsToken;
    this.#trust = trustProxies(options.trustedProxies);
  }

  caller(request: FastifyRequest): Caller {
    const key = this.#operatorKey.value;
    let known = this.#known.get(request);
    if (known?.key !== key) {
      known = { key, caller: this.#identify(request) };
      this.#known.set(request, known);
    }
    return known.caller;
  }

  #identify(request: FastifyRequest): Caller {
    const given = readToken(request.headers, { secure: isSecure(request) });
    if (given === null) return { operator: false, token: '' };
    const { token, source } = given;
    const isKey = isSecret(token, this.#operatorKey);
    return isKey && source === 'header' ? { operator: true } : { operator: false, token };
  }

  /** @throws HttpProblem unless the caller has the operators' key. */
  requireOperator(request: FastifyRequest, what = 'Only operators may do this.'): void {
    if (this.caller(request).operator) return;
    throw new HttpProblem('OPERATOR_ONLY', `${what} Send ADMIN_API_KEY as Authorization: Bearer.`);
  }

  /** Whether the caller has the token for scrapes. */
  isScraper(request: FastifyRequest): boolean {
    const given = readToken(request.headers, { secure: isSecure(request) });
    return (
      this.#metricsToken !== undefined &&
      given?.source === 'header' &&
      isSecret(given.token, this.#metricsToken)
    );
  }

  /** Whether the caller has sent some key that is not the operators'; a page's cookie is none. */
  hasWrongKey(request: FastifyRequest): boolean {
    const given = readToken(request.headers, { secure: isSecure(request) });
    return given?.source === 'header' && !this.caller(request).operator;
  }

  /** @throws HttpProblem unless the caller has the operators' key or the token for scrapes. */
  requireScraper(request: FastifyRequest): void {
    if (!this.isScraper(request))
      this.requireOperator(request, 'Only operators and METRICS_TOKEN get metrics.');
  }

  client(request: FastifyRequest): ClientInfo {
    return clientFrom(request.headers, request.socket.remoteAddress, this.#trust);
  }

  /** Who a session is, or would be, bound to: never an operator, who acts for others. */
  boundClient(request: FastifyRequest): ClientInfo | undefined {
    return this.caller(request).operator ? undefined : this.client(request);
  }

  /**
   * The session that the address names, if the caller may use it.
   *
   * @throws InvalidTokenError for a customer, whether the session is unknown or another's;
   *   SessionNotFoundError for an operator.
   */
  async session(request: FastifyRequest, id: string): Promise<Session> {
    const caller = this.caller(request);
    if (caller.operator) {
      const session = await this.#sessions.store.get(id, { fresh: true });
      if (session === null) throw new SessionNotFoundError(`There is no session ${id}.`);
      return session;
    }
    return this.#sessions.authenticate(caller.token, this.client(request), id);
  }

  /**
   * The same for a request that was let in before: whether it still would be. Its client is the one
   * that it was.
   */
  async sessionStill(request: FastifyRequest, id: string): Promise<unknown> {
    const caller = this.caller(request);
    if (caller.operator) return this.session(request, id);
    return this.#sessions.authenticate(caller.token, undefined, id);
  }
}

/** Whether it is the secret, as that is now: in constant time, but for a text of another length. */
function isSecret(given: string, secret: Secret): boolean {
  const expected = Buffer.from(secret.value);
  const bytes = Buffer.from(given);
  return bytes.length === expected.length && timingSafeEqual(bytes, expected);
}
