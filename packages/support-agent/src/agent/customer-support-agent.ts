import {
  type Clock,
  type Logger,
  type Session,
  type SessionManager,
  type SessionStore,
  type StoreStats,
  systemClock,
} from 'holdfast';
import type { Knowledge } from '../knowledge/knowledge-base.ts';
import type { Model } from '../model/model.ts';
import type { Answer } from './answer.ts';
import { answerTurn } from './answer-turn.ts';
import { assertMessage } from './message.ts';
import { SessionFigures } from './session-figures.ts';

export interface CustomerSupportAgentOptions {
  readonly sessions: SessionManager;
  readonly model: Model;
  readonly knowledge: Knowledge;
  /** Silent unless given. */
  readonly logger?: Logger | undefined;
  readonly clock?: Clock | undefined;
}

export interface ClientDetails {
  readonly ipAddress?: string | undefined;
  readonly userAgent?: string | undefined;
}

export interface MessageRequest extends ClientDetails {
  readonly sessionId: string;
  /** The customer's text: not blank, at most 16 KB of UTF-8. */
  readonly message: string;
  /** The session's token; checked when given. */
  readonly token?: string | undefined;
  /** Whose session it must be; checked when given. */
  readonly userId?: string | undefined;
  /** A repeat under the same key gets the first one's answer. */
  readonly idempotencyKey?: string | undefined;
  /** Gives the turn up. Leave it out to let the turn commit whatever becomes of the caller. */
  readonly signal?: AbortSignal | undefined;
}

export interface MessageReply extends Answer {
  /** Seconds from the request to the answer, waiting for other turns included. */
  readonly processingTime: number;
  readonly toolMetadata: {
    /** `null` when the store could not tell them; the answer itself is stored. */
    readonly sessionStats: StoreStats | null;
  };
}

/** Answers customers: one message, one turn. */
export class CustomerSupportAgent {
  readonly #sessions: SessionManager;
  readonly #tools: { readonly model: Model; readonly knowledge: Knowledge };
  readonly #logger: Logger | undefined;
  readonly #clock: Clock;
  readonly #figures: SessionFigures;
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: CustomerSupportAgentOptions) {
    this.#sessions = options.sessions;
    this.#tools = { model: options.model, knowledge: options.knowledge };
    this.#logger = options.logger;
    this.#clock = options.clock ?? systemClock;
    this.#figures = new SessionFigures(options.sessions.store, this.#clock, options.logger);
  }

  get sessionStore(): SessionStore {
    return this.#sessions.store;
  }

  getOrCreateSession(
    request: ClientDetails & {
      readonly sessionId?: string | undefined;
      readonly userId?: string | undefined;
    } = {},
  ): Promise<Session> {
    const { sessionId, userId, ...client } = request;
    return this.#sessions.getOrCreate({ sessionId, userId, client });
  }

  /**
   * @throws ValidationError for a blank or oversized message; otherwise as `sessions.turn` does.
   */
  async processMessage(request: MessageRequest): Promise<MessageReply> {
    assertMessage(request.message);
    const reply = this.#reply(request);
    this.#running.add(reply);
    try {
      return await reply;
    } finally {
      this.#running.delete(reply);
    }
  }

  /** Resolves when every message that is being answered now has been, or has failed. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  async #reply(request: MessageRequest): Promise<MessageReply> {
    const { sessionId, message, ipAddress, userAgent, token, userId } = request;
    const started = this.#clock.monotonic();
    const answer = await this.#sessions.turn(
      sessionId,
      {
        client: { ipAddress, userAgent },
        token,
        userId,
        idempotencyKey: request.idempotencyKey,
        idempotencyRequest: { message },
        signal: request.signal,
      },
      async (turn) => {
        const outcome = await answerTurn(turn, message, this.#tools);
        return { ...outcome, processingTime: this.#secondsSince(started) };
      },
    );
    this.#logger?.info(
      {
        sessionId,
        confidence: answer.confidence,
        sources: answer.sources.map((source) => source.id),
        requiresEscalation: answer.requiresEscalation,
        seconds: answer.processingTime,
      },
      'message answered',
    );
    // The answer is committed already: a store that fails now must not take it from the customer.
    return { ...answer, toolMetadata: { sessionStats: await this.#figures.current() } };
  }

  #secondsSince(started: number): number {
    return Math.round(this.#clock.monotonic() - started) / 1000;
  }
}
