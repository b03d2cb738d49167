import {
  type ClientInfo,
  type Clock,
  type Logger,
  type Session,
  type SessionManager,
  type SessionStore,
  type StoreStats,
  systemClock,
  type Turn,
  type TurnEvent,
} from 'holdfast';
import type { Knowledge } from '../knowledge/knowledge-base.ts';
import type { Model } from '../model/model.ts';
import { type Call, Calls } from '../telemetry/calls.ts';
import { supportTools } from '../tools/support-tools.ts';
import type { StepUp, Tool } from '../tools/tool.ts';
import { Toolbox } from '../tools/toolbox.ts';
import type { Answer } from './answer.ts';
import { type AnswerMakers, answerTurn } from './answer-turn.ts';
import { assertMessage } from './message.ts';
import { SessionFigures } from './session-figures.ts';

export interface CustomerSupportAgentOptions {
  readonly sessions: SessionManager;
  readonly model: Model;
  readonly knowledge: Knowledge;
  /** What the model can have done. Default: `supportTools`. */
  readonly tools?: readonly Tool[] | undefined;
  /**
   * Guards tools that are marked sensitive. Default: the session's token must have been issued lately
   * enough, as `sessions.requireFresh` has it.
   */
  readonly stepUp?: StepUp | undefined;
  /** Silent unless given. */
  readonly logger?: Logger | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Who writes. Leave both out where that is not known, and nothing is compared; one that is `undefined`
 * is known to be absent, which may differ from what the session is bound to.
 */
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
  /** Names the request in logs: see `TurnOptions.requestId`. */
  readonly requestId?: string | undefined;
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

export interface StartedMessage {
  /** The turn's live output, from its beginning; none for a repeat under its key. */
  readonly events: AsyncIterable<TurnEvent>;
  /** Need not be awaited. */
  readonly reply: Promise<MessageReply>;
}

/** Answers customers: one message, one turn. */
export class CustomerSupportAgent {
  readonly #sessions: SessionManager;
  readonly #makers: AnswerMakers;
  readonly #logger: Logger | undefined;
  readonly #clock: Clock;
  readonly #figures: SessionFigures;
  readonly #calls: Calls;
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: CustomerSupportAgentOptions) {
    this.#sessions = options.sessions;
    this.#logger = options.logger;
    this.#clock = options.clock ?? systemClock;
    this.#calls = new Calls(this.#clock);
    this.#makers = {
      calls: this.#calls,
      model: options.model,
      knowledge: options.knowledge,
      toolbox: new Toolbox(options.tools ?? supportTools),
      clock: this.#clock,
      stepUp:
        options.stepUp ??
        (({ sessionId, maxAgeSeconds }) => options.sessions.requireFresh(sessionId, maxAgeSeconds)),
    };
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
    const { sessionId, userId } = request;
    return this.#sessions.getOrCreate({ sessionId, userId, client: clientOf(request) });
  }

  /**
   * @throws ValidationError for a blank or oversized message; otherwise as `sessions.turn` does.
   */
  async processMessage(request: MessageRequest): Promise<MessageReply> {
    const { options, work } = this.#turn(request);
    return this.#reply(request, this.#sessions.turn(request.sessionId, options, work));
  }

  /**
   * The same, for a caller that shows the answer while it is made. Starts at once; a reader that
   * leaves stops nothing.
   * @throws ValidationError for a blank or oversized message, at once. All else is the reply's.
   */
  startMessage(request: MessageRequest): StartedMessage {
    const { options, work } = this.#turn(request);
    const { events, result } = this.#sessions.startTurn(request.sessionId, options, work);
    const reply = this.#reply(request, result);
    reply.catch(() => {}); // the events tell of a failure too
    return { events, reply };
  }

  /** Calls `listener` after each call of the model or of a tool; returns the way to stop. */
  onCall(listener: (call: Call) => void): () => void {
    return this.#calls.on(listener);
  }

  /** Resolves when every message that is being answered now has been, or has failed. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  #turn(request: MessageRequest) {
    const { message, token, userId, idempotencyKey, requestId, signal } = request;
    assertMessage(message);
    const started = this.#clock.monotonic();
    return {
      options: {
        ...{ client: clientOf(request), token, userId, idempotencyKey, requestId, signal },
        idempotencyRequest: { message },
      },
      work: async (turn: Turn) => {
        const answer = await answerTurn(turn, message, this.#makers);
        return { ...answer, processingTime: this.#secondsSince(started) };
      },
    };
  }

  /** What the turn comes to, once it has been told to whom it concerns. */
  #reply(request: MessageRequest, turn: Promise<TurnAnswer>): Promise<MessageReply> {
    const reply = this.#completed(request, turn);
    this.#running.add(reply);
    const forget = () => this.#running.delete(reply);
    reply.then(forget, forget);
    return reply;
  }

  async #completed(
    { sessionId }: MessageRequest,
    turn: Promise<TurnAnswer>,
  ): Promise<MessageReply> {
    const answer = await turn;
    this.#logger?.debug(
      {
        sessionId,
        confidence: answer.confidence,
        sources: answer.sources.map((source) => source.id),
        tools: answer.toolsUsed,
        requiresEscalation: answer.requiresEscalation,
        ticket: answer.ticket?.id,
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

function clientOf(details: ClientDetails): ClientInfo | undefined {
  const isKnown = 'ipAddress' in details || 'userAgent' in details;
  return isKnown ? { ipAddress: details.ipAddress, userAgent: details.userAgent } : undefined;
}

type TurnAnswer = Answer & Pick<MessageReply, 'processingTime'>;
