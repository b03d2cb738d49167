import { createHash } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Clock, Config, SessionStore } from 'holdfast';
import { clientNetwork } from 'holdfast/http';
import { LRUCache } from 'lru-cache';
import { hadWrongCredentials } from '../errors/error-handler.ts';
import { HttpProblem } from '../errors/http-problem.ts';
import { onReplyOver } from '../reply-over.ts';
import type { Gate } from './caller.ts';
import { SharedHits } from './shared-hits.ts';

export interface RateLimitOptions {
  readonly settings: Config['server']['rateLimit'];
  readonly store: Pick<SessionStore, 'hit'>;
  readonly gate: Gate;
  readonly clock: Clock;
}

/** Of the requests that a client may send in a period, so many may have a wrong token or key. */
const wrongShare = 1 / 5;
const leastWrong = 5;
const rememberedClients = 10_000;

/** Refuses what comes too often: from one client, in one session, or with one wrong token after another. */
export class RateLimits {
  readonly #options: RateLimitOptions;
  readonly #hits: SharedHits;
  /** Clients that have guessed too often, and until when (by the monotonic clock). */
  readonly #guessers = new LRUCache<string, number>({ max: rememberedClients });

  constructor(options: RateLimitOptions) {
    this.#options = options;
    this.#hits = new SharedHits(options.store, options.clock);
  }

  /** Limits the API from here on. Pages and health are no work, and operators are known. */
  async register(app: FastifyInstance): Promise<void> {
    const { settings, gate } = this.#options;
    if (!settings.enabled) return;
    const hits = this.#hits;
    app.addHook('onRequest', (request, _reply, done) => {
      this.#refuseGuesser(request);
      done();
    });
    await app.register(rateLimit, {
      max: settings.requests,
      timeWindow: settings.periodMs,
      enableDraftSpec: true,
      // By the route: an address can be spelt in many ways.
      allowList: (request) => !isOfApi(request) || gate.caller(request).operator,
      keyGenerator: (request) => this.#clientOf(request),
      errorResponseBuilder: (_, { ttl }) => tooOften(ttl, 'This client sends too many requests.'),
      store: class {
        incr(
          key: string,
          callback: (error: Error | null, window?: { current: number; ttl: number }) => void,
          periodMs: number,
        ): void {
          hits
            .hit(`client:${key}`, periodMs)
            .then(
              ({ count, resetMs }) => callback(null, { current: count, ttl: resetMs }),
              callback,
            );
        }
        child() {
          return this;
        }
      },
    });
    onReplyOver(app, (request) => {
      if (!hadWrongCredentials(request)) return;
      this.#wrong(request).catch((err: unknown) => {
        request.log.warn({ err }, 'a wrong token could not be counted');
      });
    });
  }

  /** Counts a message of a session. Whoever does not have its token counts for somebody else. */
  async message(sessionId: string, token: string): Promise<void> {
    const { enabled, requests, periodMs } = this.#options.settings;
    if (!enabled || token === '') return;
    const key = `session:${sessionId}:${digestOf(token)}`;
    const { count, resetMs } = await this.#hits.hit(key, periodMs);
    if (count > requests) throw tooOften(resetMs, 'Too many messages are sent to this session.');
  }

  /** @throws HttpProblem */
  #refuseGuesser(request: FastifyRequest): void {
    // Pages come with the cookie of a session that has ended, and take no token.
    if (!takesCredentials(request)) return;
    const { gate, clock } = this.#options;
    const until = this.#guessers.get(this.#clientOf(request)) ?? 0;
    const leftMs = until - clock.monotonic();
    if (leftMs <= 0 || beginsAnew(request)) return;
    if (mayGuess(request, gate)) {
      throw tooOften(leftMs, 'Too many wrong tokens came from this client.');
    }
  }

  async #wrong(request: FastifyRequest): Promise<void> {
    const { requests, periodMs } = this.#options.settings;
    const client = this.#clientOf(request);
    // One that comes again and again is no guess: a page whose session has ended, say.
    const caller = this.#options.gate.caller(request);
    const token = digestOf(caller.operator ? '' : caller.token);
    if ((await this.#hits.hit(`wrong:${client}:${token}`, periodMs)).count > 1) return;
    const { count, resetMs } = await this.#hits.hit(`wrong:${client}`, periodMs);
    if (count < Math.max(leastWrong, Math.ceil(requests * wrongShare))) return;
    this.#guessers.set(client, this.#options.clock.monotonic() + resetMs);
    request.log.warn({ count }, 'a client sends wrong tokens again and again, and is shut out');
  }

  #clientOf(request: FastifyRequest): string {
    return clientNetwork(this.#options.gate.client(request).ipAddress) ?? 'unknown';
  }
}

function isOfApi({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url?.startsWith('/api/') ?? false;
}

/** Where a token or key is looked at. */
function takesCredentials(request: FastifyRequest): boolean {
  const { url } = request.routeOptions;
  return isOfApi(request) || url === '/metrics' || url === '/health';
}

/** Whether it has a token or key that may be a guess. Elsewhere than in the API a cookie is nobody's. */
function mayGuess(request: FastifyRequest, gate: Gate): boolean {
  if (!isOfApi(request)) return gate.hasWrongKey(request) && !gate.isScraper(request);
  const caller = gate.caller(request);
  return !caller.operator && caller.token !== '';
}

/** A new session needs no token: a page that still has an old one must be able to begin anew. */
function beginsAnew({ method, routeOptions }: FastifyRequest): boolean {
  return method === 'POST' && routeOptions.url === '/api/sessions';
}

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

function tooOften(leftMs: number, why: string): HttpProblem {
  const seconds = Math.max(1, Math.ceil(leftMs / 1000));
  return new HttpProblem('RATE_LIMITED', `${why} Try again in ${seconds} s.`, {
    retryAfterSeconds: seconds,
  });
}
