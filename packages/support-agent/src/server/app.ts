import { maxHeaderSize } from 'node:http';
import { join } from 'node:path';
import helmet from '@fastify/helmet';
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { type Clock, type Config, type SessionManager, systemClock } from 'holdfast';
import type { CustomerSupportAgent } from '../agent/customer-support-agent.ts';
import { packageRoot } from '../package-root.ts';
import { Gate } from './caller.ts';
import { clientErrorHandler, errorHandler, notFoundHandler } from './error-handler.ts';
import { pages } from './pages.ts';
import { healthRoutes } from './routes/health.ts';
import { messageRoutes } from './routes/messages.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { requireSameOrigin } from './same-origin.ts';
import type { Services } from './services.ts';
import { StoreProbe } from './store-probe.ts';
import { zodValidator } from './validation.ts';

/** Room for 1 MB of metadata and the rest of its request. */
const bodyLimit = 1_100_000;
/** A request that takes longer to arrive is somebody holding connections open. */
const requestTimeoutMs = 30_000;
/** As long as Node takes an address, so that a bad id is told what an id is. */
const maxParamLength = maxHeaderSize;

export interface AppOptions {
  readonly config: Pick<Config, 'server'>;
  readonly sessions: SessionManager;
  readonly agent: CustomerSupportAgent;
  /** What makes a caller an operator. */
  readonly operatorKey: string;
  /** Silent unless given. */
  readonly logger?: FastifyBaseLogger | undefined;
  readonly clock?: Clock | undefined;
  /** The built pages; those of `packages/web` unless given. */
  readonly pagesDirectory?: string | undefined;
}

/** Builds the server without opening a port. Closing it closes neither the agent nor the sessions. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { config, sessions, agent, operatorKey, logger, clock = systemClock } = options;
  const app: FastifyInstance = Fastify({
    ...(logger === undefined ? { logger: false } : { loggerInstance: logger }),
    bodyLimit,
    requestTimeout: requestTimeoutMs,
    // While it closes, the server still answers what has arrived: turns that run may end.
    return503OnClosing: false,
    clientErrorHandler,
    routerOptions: { maxParamLength },
    frameworkErrors: errorHandler,
  });
  app.removeContentTypeParser('text/plain');
  app.setValidatorCompiler(zodValidator);
  app.setErrorHandler(errorHandler);
  app.setNotFoundHandler(notFoundHandler);
  await app.register(helmet, {
    contentSecurityPolicy,
    strictTransportSecurity: { includeSubDomains: false },
    xFrameOptions: { action: 'deny' },
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    await requireSameOrigin(request);
  });
  endConnectionsOnClose(app);
  const trustedProxies = config.server.trustedProxies;
  const services: Services = {
    sessions,
    agent,
    gate: new Gate({ sessions, operatorKey, trustedProxies }),
    probe: new StoreProbe(sessions.store, clock),
  };
  await app.register(sessionRoutes, services);
  await app.register(messageRoutes, services);
  await app.register(healthRoutes, services);
  await app.register(pages, {
    directory: options.pagesDirectory ?? join(packageRoot, '..', 'web', 'dist'),
  });
  return app;
}

/** A connection kept alive by the last answer of a closing server would hold it open for nothing. */
function endConnectionsOnClose(app: FastifyInstance): void {
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close');
  });
}

const contentSecurityPolicy = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'self'"],
    baseUri: ["'none'"],
    objectSrc: ["'none'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
  },
};
