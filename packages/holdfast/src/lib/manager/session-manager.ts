import { type Clock, systemClock } from '../clock.ts';
import {
  SessionNotFoundError,
  StepUpRequiredError,
  ValidationError,
  VersionConflictError,
} from '../errors/errors.ts';
import type { JsonObject } from '../json/json-value.ts';
import { assertId, randomId } from '../model/ids.ts';
import type { Session, SessionInit } from '../model/session.ts';
import type { TurnEvent } from '../model/turn-event.ts';
import { Emitter, type Logger, silentLogger } from '../store/emitter.ts';
import { Ending } from '../store/ending.ts';
import type { SessionStore, StoredSession, SubscribeOptions } from '../store/session-store.ts';
import type { StoreEventListener, StoreEventName } from '../store/store-events.ts';
import { whole } from '../store/store-options.ts';
import type { Tracer } from '../telemetry/tracer.ts';
import { Access, assertClient } from './access.ts';
import { type ClientBinding, type ClientInfo, unbound } from './client-binding.ts';
import { isManagerEvent, type SessionEventName, type SessionEvents } from './session-events.ts';
import { maybeCreated, maybeRotated, writingToken } from './token-unknown.ts';
import { type OutputStart, turnEventsOf } from './turn-events.ts';
import { type ParsedTurnOptions, parseTurnOptions, type TurnOptions } from './turn-options.ts';
import { TurnRunner, type TurnWork } from './turn-runner.ts';

export interface SessionManagerOptions<
  Metadata extends object = JsonObject,
  MetadataInput extends object = Metadata,
> {
  readonly store: SessionStore<Metadata, MetadataInput>;
  /** Milliseconds; from 100. Default 30,000. */
  readonly leaseMs?: number | undefined;
  /** How long a turn waits for its session, in milliseconds. Default 60,000. */
  readonly waitMs?: number | undefined;
  /** How long a turn may run, in milliseconds. Default 300,000. */
  readonly maxTurnMs?: number | undefined;
  /** How sessions are bound to their clients. Default: by their token alone. */
  readonly clientBinding?: ClientBinding | undefined;
  /** Refuse a client that does not match, instead of only reporting it. Default false. */
  readonly strictClientBinding?: boolean | undefined;
  readonly clock?: Clock | undefined;
  readonly logger?: Logger | undefined;
  /** OpenTelemetry's, for spans of turns and of what they ask of the store. Default: none. */
  readonly tracer?: Tracer | undefined;
}

/** What `create` and `getOrCreate` take. */
export interface NewSession<MetadataInput extends object = JsonObject> {
  /** Random unless given. */
  readonly sessionId?: string | undefined;
  readonly userId?: string | undefined;
  readonly threadId?: string | undefined;
  readonly metadata?: MetadataInput | undefined;
  readonly client?: ClientInfo | undefined;
}

export interface StartedTurn<Result> {
  /**
   * The turn's live output: `turn.started`, what the turn emits, and `turn.completed` or
   * `turn.failed`, unless the session itself ends first.
   */
  readonly events: AsyncIterable<TurnEvent>;
  readonly result: Promise<Result>;
}

/**
 * Sessions and their turns: who may use a session, when it ends, and what a turn is. Where it is
 * kept is the store's affair.
 */
export class SessionManager<
  Metadata extends object = JsonObject,
  MetadataInput extends object = Metadata,
> {
  readonly store: SessionStore<Metadata, MetadataInput>;
  readonly #clock: Clock;
  readonly #access: Access;
  readonly #events: Emitter<SessionEvents>;
  readonly #runner: TurnRunner<Metadata, MetadataInput>;
  readonly #defaults: { leaseMs: number; waitMs: number; maxMs: number };

  /** @throws ConfigError for an option out of its range. */
  constructor(options: SessionManagerOptions<Metadata, MetadataInput>) {
    const { store, clock = systemClock, logger = silentLogger } = options;
    const most = 2 ** 31 - 1;
    this.store = store;
    this.#clock = clock;
    this.#events = new Emitter(logger);
    this.#access = new Access({
      binding: options.clientBinding ?? unbound,
      strict: options.strictClientBinding ?? false,
      events: this.#events,
      logger,
    });
    this.#defaults = {
      leaseMs: whole(options.leaseMs ?? 30_000, 'leaseMs', most, 100),
      waitMs: whole(options.waitMs ?? 60_000, 'waitMs', most, 0),
      maxMs: whole(options.maxTurnMs ?? 300_000, 'maxTurnMs', most),
    };
    this.#runner = new TurnRunner({
      store,
      access: this.#access,
      leaseMs: this.#defaults.leaseMs,
      clock,
      logger,
      tracer: options.tracer,
      events: this.#events,
    });
  }

  /**
   * Creates a session with a bearer token, which is handed out here and nowhere else.
   * @throws VersionConflictError when the id is taken; SessionLimitError, StoreFullError;
   *   OutcomeUnknownError, whose remedy says how to go on without the token.
   */
  async create(
    input: NewSession<MetadataInput> = {},
  ): Promise<{ session: Session<Metadata>; token: string }> {
    const { id, init } = parseNewSession(input);
    const { credentials, token } = this.#access.issue(id, input.client, this.#clock.now());
    const session = await writingToken(
      this.#clock,
      (nonce) => this.store.create(id, init, { credentials, nonce }),
      maybeCreated(id, input.sessionId !== undefined),
    );
    return { session, token };
  }

  /**
   * The session of that id, created if there is none; what is there already is not changed. A closed
   * session is returned as closed. For code that vouches for its callers: no token is asked for.
   * @throws SessionNotFoundError when it belongs to another user.
   */
  async getOrCreate(input: NewSession<MetadataInput> = {}): Promise<Session<Metadata>> {
    const { id, init } = parseNewSession(input);
    const stored = input.sessionId === undefined ? null : await this.store.getWithCredentials(id);
    if (stored !== null) return this.#admitted(stored, input);
    try {
      return await this.store.create(id, init, { credentials: this.#access.bind(input.client) });
    } catch (error) {
      // Another call created it meanwhile; any other conflict, or failure, is the caller's to see.
      const winner =
        error instanceof VersionConflictError && (await this.store.getWithCredentials(id));
      if (!winner) throw error;
      return this.#admitted(winner, input);
    }
  }

  /**
   * Runs `work` as one transaction on the session: alone, in the order of asking, and written as a
   * whole when it returns, or not at all (but for its checkpoints) when it throws.
   *
   * @returns what `work` returned; under an idempotency key, also what an earlier call did.
   * @throws SessionNotFoundError, SessionGoneError, SessionBusyError, LockTimeoutError,
   *   LeaseLostError, TurnInterruptedError, TurnTimeoutError, IdempotencyMismatchError,
   *   InvalidTokenError, FingerprintMismatchError, ValidationError; and what `work` throws.
   */
  turn<Result>(id: string, work: TurnWork<Metadata, MetadataInput, Result>): Promise<Result>;
  turn<Result>(
    id: string,
    options: TurnOptions,
    work: TurnWork<Metadata, MetadataInput, Result>,
  ): Promise<Result>;
  async turn<Result>(
    id: string,
    ...rest:
      | [TurnWork<Metadata, MetadataInput, Result>]
      | [TurnOptions, TurnWork<Metadata, MetadataInput, Result>]
  ): Promise<Result> {
    const { options, work } = this.#turnArguments(rest);
    return this.#runner.run(id, options, work);
  }

  /**
   * Starts a turn at once and returns before it ends, for handlers that must. A reader that leaves
   * stops nothing. `result` need not be awaited: the events tell of a failure too.
   */
  startTurn<Result>(
    id: string,
    ...rest:
      | [TurnWork<Metadata, MetadataInput, Result>]
      | [TurnOptions, TurnWork<Metadata, MetadataInput, Result>]
  ): StartedTurn<Result> {
    const { options, work } = this.#turnArguments(rest);
    let begin: (start: OutputStart) => void = () => {};
    let fail: (error: unknown) => void = () => {};
    const begun = new Promise<OutputStart>((resolve, reject) => {
      begin = resolve;
      fail = reject;
    });
    begun.catch(() => {}); // whoever reads the events gets it
    const lost = new Ending<unknown>();
    const result = this.#runner.run(id, options, work, {
      begun: begin,
      outputLost: (error) => lost.end(error),
    });
    result.catch(fail); // has no effect once the turn has begun
    return { events: turnEventsOf(this.store, begun, lost), result };
  }

  /** The session's live output, from any instance. Ends with the session, the signal, or the store. */
  subscribe(id: string, options?: SubscribeOptions): AsyncIterable<TurnEvent> {
    return this.store.subscribe(id, options);
  }

  /**
   * The session that a bearer token is for, read from the store itself.
   * @throws InvalidTokenError, the same for an unknown session, a malformed token and a wrong one;
   *   FingerprintMismatchError.
   * @param expectedId the session that the request is about: a token of another one is a wrong one.
   */
  async authenticate(
    token: string,
    client?: ClientInfo,
    expectedId?: string,
  ): Promise<Session<Metadata>> {
    assertClient(client);
    const { session, credentials } = await this.#ofToken(token, expectedId);
    this.#access.checkClient(session, credentials, client);
    return session;
  }

  /**
   * Issues a new token, after a login say; the old one fails from now on everywhere.
   * @param oldToken the one that the client asks with: no other one is replaced, and the new one is no
   *   login, so that `requireFresh` goes by the old one's.
   * @throws SessionNotFoundError; InvalidTokenError when `oldToken` is not the session's (any more);
   *   VersionConflictError when the token was changed meanwhile; OutcomeUnknownError, whose remedy says
   *   how to go on without the new token.
   */
  async rotateToken(
    id: string,
    client?: ClientInfo,
    oldToken?: string,
  ): Promise<{ session: Session<Metadata>; token: string }> {
    assertClient(client);
    const stored =
      oldToken === undefined ? await this.#required(id) : await this.#ofToken(oldToken, id);
    const issued = this.#access.issue(id, client, this.#clock.now());
    // Without a client to bind to, the session stays bound to the one it has.
    const { clientBinding } = client === undefined ? stored.credentials : issued.credentials;
    // Whoever has the old token has proved nothing new by it.
    const { authenticatedAt } = oldToken === undefined ? issued.credentials : stored.credentials;
    const credentials = { ...issued.credentials, clientBinding, authenticatedAt };
    const { tokenHash: ifTokenHash } = stored.credentials;
    const session = await writingToken(
      this.#clock,
      (nonce) => this.store.setCredentials(id, credentials, { ifTokenHash, nonce }),
      maybeRotated(id),
    );
    this.#events.emit('tokenRotated', { sessionId: id });
    return { session, token: issued.token };
  }

  /** Ends the session at once, everywhere. Whether there was one. */
  async revoke(id: string): Promise<boolean> {
    const existed = await this.store.delete(id);
    if (existed) this.#events.emit('revoked', { count: 1, userId: null });
    return existed;
  }

  /** Ends the other sessions of this session's user. How many. @throws SessionNotFoundError */
  async revokeOthers(id: string): Promise<number> {
    const { session } = await this.#required(id);
    if (session.userId === null) return 0;
    return this.#revoked(
      await this.store.deleteUser(session.userId, { except: id }),
      session.userId,
    );
  }

  /** Ends every session of the user. How many. */
  async revokeUser(userId: string): Promise<number> {
    assertId(userId, 'userId');
    return this.#revoked(await this.store.deleteUser(userId), userId);
  }

  /** Ends every session of the store. How many. */
  async revokeAll(): Promise<number> {
    return this.#revoked(await this.store.deleteAll(), null);
  }

  /**
   * Guards a sensitive change: the session's token must have been issued lately, and not for an older one.
   * @param maxAgeSeconds from 0.
   * @throws StepUpRequiredError when it was not, or there is none; SessionNotFoundError.
   */
  async requireFresh(id: string, maxAgeSeconds: number): Promise<void> {
    if (!(maxAgeSeconds >= 0)) throw new ValidationError('maxAgeSeconds must be a number from 0.');
    const { credentials } = await this.#required(id);
    const { authenticatedAt } = credentials;
    const age = authenticatedAt === null ? Infinity : this.#clock.now() - authenticatedAt;
    if (age <= maxAgeSeconds * 1000) return;
    throw new StepUpRequiredError(
      `Session ${id} was authenticated more than ${maxAgeSeconds} s ago.`,
    );
  }

  /** Calls `listener` for each event of that name in this process; returns the way to stop. */
  on<Name extends SessionEventName>(
    name: Name,
    listener: (event: SessionEvents[Name]) => void,
  ): () => void {
    if (isManagerEvent(name)) return this.#events.on(name, listener);
    return this.store.on(
      name as StoreEventName,
      listener as StoreEventListener<StoreEventName> & typeof listener,
    );
  }

  /** Closes the store: waits and subscriptions end, turns lose their leases. */
  async close(): Promise<void> {
    await this.store.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #required(id: string): Promise<StoredSession<Metadata>> {
    const stored = await this.store.getWithCredentials(id);
    if (stored === null) throw new SessionNotFoundError(`There is no session ${id} here.`);
    return stored;
  }

  /** @throws InvalidTokenError */
  async #ofToken(token: string, expectedId?: string): Promise<StoredSession<Metadata>> {
    const { sessionId, hash } = this.#access.readToken(token, expectedId);
    const stored = await this.store.getWithCredentials(sessionId, { tokenHash: hash });
    return this.#access.checkToken(stored, hash);
  }

  #admitted(
    { session, credentials }: StoredSession<Metadata>,
    { userId, client }: NewSession<MetadataInput>,
  ): Session<Metadata> {
    this.#access.checkUser(session, userId);
    this.#access.checkClient(session, credentials, client);
    return session;
  }

  #revoked(count: number, userId: string | null): number {
    if (count > 0) this.#events.emit('revoked', { count, userId });
    return count;
  }

  #turnArguments<Result>(
    rest:
      | [TurnWork<Metadata, MetadataInput, Result>]
      | [TurnOptions, TurnWork<Metadata, MetadataInput, Result>],
  ): { options: ParsedTurnOptions; work: TurnWork<Metadata, MetadataInput, Result> } {
    const [options, work] = rest.length === 1 ? [{}, rest[0]] : rest;
    if (typeof work !== 'function') {
      throw new ValidationError('A turn needs its work: turn(id, options, async (turn) => …).');
    }
    return { options: parseTurnOptions(options, this.#defaults), work };
  }
}

function parseNewSession<MetadataInput extends object>(
  input: NewSession<MetadataInput>,
): { id: string; init: SessionInit<MetadataInput> } {
  const { sessionId, userId, threadId, metadata, client, ...unknown } = input;
  for (const field of Object.keys(unknown)) {
    throw new ValidationError(
      `A new session has no field "${field.slice(0, 40)}"; there are sessionId, userId, threadId, metadata and client.`,
    );
  }
  if (sessionId !== undefined) assertId(sessionId, 'sessionId');
  assertClient(client);
  return {
    id: sessionId ?? randomId(),
    init: {
      ...(userId !== undefined && { userId }),
      ...(threadId !== undefined && { threadId }),
      ...(metadata !== undefined && { metadata }),
    },
  };
}
