import { maxHeaderSize } from 'node:http';
import { join } from 'node:path';
import cors from '@fastify/cors';
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { type Clock, type Config, type Secret, type SessionManager, systemClock } from 'holdfast';
import type { CustomerSupportAgent } from '../agent/customer-support-agent.ts';
import type { Knowledge } from '../knowledge/knowledge-base.ts';
import { packageRoot } from '../package-root.ts';
import { traceRequests } from '../telemetry/request-spans.ts';
import { Gate } from './access/caller.ts';
import { RateLimits } from './access/rate-limits.ts';
import { requireSameOrigin } from './access/same-origin.ts';
import { securityHeaders } from './access/security-headers.ts';
import { noticeUntrustedProxy } from './access/untrusted-proxy.ts';
import { docs } from './api/docs.ts';
import { openapi } from './api/openapi.ts';
import { requirePlainBodies } from './api/plain-bodies.ts';
import { checkingSerializer, plainSerializer, zodValidator } from './api/validation.ts';
import { endConnectionsOnClose } from './closing-connections.ts';
import { DueAnswers } from './due-answers.ts';
import {
  clientErrorHandler,
  errorHandler,
  hadWrongCredentials,
  notFoundHandler,
} from './errors/error-handler.ts';
import { AuditLog } from './observing/audit-log.ts';
import { loggedRequest } from './observing/logged-request.ts';
import { Metrics } from './observing/metrics.ts';
import { requestId, requestIdHeader } from './observing/request-id.ts';
import { StoreProbe } from './observing/store-probe.ts';
import { logTurns } from './observing/turn-log.ts';
import { pages } from './pages.ts';
import { onReplyOver } from './reply-over.ts';
import { healthRoutes } from './routes/health.ts';
import { messageRoutes } from './routes/messages.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { operatorRoutes } from './routes/operators.ts';
import { searchRoutes } from './routes/search.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { streamRoutes } from './routes/stream.ts';
import type { Services } from './services.ts';
import { OpenStreams } from './streams/open-streams.ts';

/** Room for 1 MB of metadata and the rest of its request. */
const bodyLimit = 1_100_000;
/** A request that takes longer to arrive is somebody holding connections open. */
const defaultRequestTimeoutMs = 30_000;
/** How often connections are looked at for that. */
const maxCheckMs = 5_000;
/** As long as Node takes an address, so that a bad id is told what an id is. */
const maxParamLength = maxHeaderSize;

export interface AppOptions {
  readonly config: Pick<Config, 'server' | 'encryption' | 'fingerprint'>;
  readonly sessions: SessionManager;
  readonly agent: CustomerSupportAgent;
  /** What `/api/search` looks through. */
  readonly knowledge: Knowledge;
  /** What makes a caller an operator. */
  readonly operatorKey: Secret;
  /** Silent unless given. */
  readonly logger?: FastifyBaseLogger | undefined;
  readonly clock?: Clock | undefined;
  /** The built pages; those of `packages/web` unless given. */
  readonly pagesDirectory?: string | undefined;
  /** Gives up the turns that run. Leave it out to let them end by themselves. */
  readonly giveUp?: AbortSignal | undefined;
  /** Event streams that may be open at once; 2,000 unless given. */
  readonly maxStreams?: number | undefined;
  /** How long a request may take to arrive, in milliseconds; 30,000 unless given. */
  readonly requestTimeoutMs?: number | undefined;
  /** Fails where an answer is not as `/docs` says; for tests. */
  readonly checkAnswers?: boolean | undefined;
}

/** Builds the server without opening a port. Closing it closes neither the agent nor the sessions. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { config, sessions, agent, knowledge, operatorKey, clock = systemClock } = options;
  const { logger, giveUp, requestTimeoutMs = defaultRequestTimeoutMs } = options;
  const answers = new DueAnswers();
  const app: FastifyInstance = Fastify({
    ...(logger === undefined
      ? { logger: false }
      : { loggerInstance: logger.child({}, { serializers: { req: loggedRequest } }) }),
    bodyLimit,
    requestTimeout: requestTimeoutMs,
    ...listener(config.server.tls, {
      connectionsCheckingInterval: Math.min(requestTimeoutMs, maxCheckMs),
    }),
    // While it closes, the server still answers what has arrived: turns that run may end.
    return503OnClosing: false,
    clientErrorHandler: clientErrorHandler(answers),
    routerOptions: { maxParamLength },
    frameworkErrors: errorHandler,
    genReqId: requestId,
  });
  // Node gives the longer of the two to the whole request, and has 60 s for the headers by itself.
  app.server.headersTimeout = requestTimeoutMs;
  app.removeContentTypeParser('text/plain');
  app.setValidatorCompiler(zodValidator);
  app.setSerializerCompiler(options.checkAnswers ? checkingSerializer : plainSerializer);
  app.setErrorHandler(errorHandler);
  app.setNotFoundHandler(notFoundHandler);
  const everyAnswer = { ...(await securityHeaders()), 'cache-control': 'no-store' };
  traceRequests(app);
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(everyAnswer).header(requestIdHeader, request.id);
    done();
  });
  noticeUntrustedProxy(app, config);
  const streams = new OpenStreams({ clock, max: options.maxStreams });
  app.addHook('preClose', async () => streams.close());
  const { store } = sessions;
  const metrics = new Metrics({ store, clock, openStreams: () => streams.count });
  metrics.watch(app);
  app.addHook('onClose', metrics.count(sessions, agent));
  const trustedProxies = config.server.trustedProxies;
  const { metricsToken } = config.server;
  const gate = new Gate({ sessions, operatorKey, metricsToken, trustedProxies });
  const probe = new StoreProbe(store, clock);
  // Whoever still asks over a connection that it has must send requests elsewhere from now on.
  app.addHook('preClose', async () => probe.drain());
  answers.watch(app.server);
  endConnectionsOnClose(app, answers);
  const audit = new AuditLog(config);
  const stops = [audit.watch(sessions, app.log), logTurns(sessions, app.log)];
  app.addHook('onClose', async () => {
    for (const stop of stops) stop();
  });
  onReplyOver(app, (request) => {
    if (hadWrongCredentials(request)) audit.refused(request);
  });
  const { corsOrigins } = config.server;
  await crossOrigin(app, corsOrigins);
  // Behind it, so that a page that may read answers reads this refusal too.
  app.addHook('onRequest', (request, _reply, done) => {
    requireSameOrigin(request, corsOrigins);
    done();
  });
  requirePlainBodies(app);
  const limits = new RateLimits({ settings: config.server.rateLimit, store, gate, clock });
  await limits.register(app);
  const shared = {
    limits,
    audit,
    sessions,
    agent,
    knowledge,
    gate,
    probe,
    streams,
    metrics,
    clock,
    giveUp,
  };
  await routes(app, shared);
  await app.register(pages, {
    directory: options.pagesDirectory ?? join(packageRoot, '..', 'web', 'dist'),
  });
  return app;
}

/**
 * HTTPS where there is a certificate, else HTTP. The type is that of HTTP either way: what Fastify
 * makes of the two differs in nothing that is used here.
 */
function listener(tls: Config['server']['tls'], options: { connectionsCheckingInterval: number }) {
  if (tls === undefined) return { http: options };
  const { cert, key } = tls;
  return { https: { ...options, cert, key: key.value, minVersion: 'TLSv1.2' } } as object;
}

async function routes(app: FastifyInstance, services: Services): Promise<void> {
  await openapi(app);
  for (const group of [
    sessionRoutes,
    messageRoutes,
    streamRoutes,
    searchRoutes,
    operatorRoutes,
    metricsRoutes,
    healthRoutes,
  ]) {
    await app.register(group, services);
  }
  await docs(app);
}

/** Closed to pages of other origins, unless they are named. Those send tokens, never cookies. */
async function crossOrigin(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  await app.register(cors, {
    origin: [...origins],
    methods: ['GET', 'POST', 'PATCH', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type', 'idempotency-key', 'last-event-id'],
    exposedHeaders: [requestIdHeader, 'retry-after'],
    credentials: false,
    maxAge: 600,
  });
}
