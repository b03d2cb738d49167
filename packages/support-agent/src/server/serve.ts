import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { type Clock, type Config, createSessionManager, systemClock } from 'holdfast';
import type { Logger } from 'pino';
import { CustomerSupportAgent } from '../agent/customer-support-agent.ts';
import { loadKnowledge } from '../knowledge/load-knowledge.ts';
import { LocalModel } from '../model/local-model.ts';
import type { Model } from '../model/model.ts';
import { within } from '../within.ts';
import { buildApp } from './app.ts';
import { listenError } from './start-error.ts';

/** How long running turns may take to finish once the server is to stop. */
const graceMs = 10_000;

export interface ServeOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** Tells whoever started the server what must not be in a log. */
  readonly print: (line: string) => void;
  /** The local one unless given. */
  readonly model?: Model | undefined;
  readonly clock?: Clock | undefined;
}

export interface RunningServer {
  readonly port: number;
  /** Stops accepting, lets running turns finish for at most 10 s, and closes the sessions. */
  close(): Promise<void>;
}

/**
 * Builds everything from the settings and listens.
 *
 * @throws ConfigError, StoreUnavailableError, StartError: their messages say what to do.
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { config, logger, print, model = new LocalModel(), clock = systemClock } = options;
  const knowledge = await loadKnowledge(config.agent.knowledgeDir, logger);
  const sessions = await createSessionManager(config, { logger, clock });
  const agent = new CustomerSupportAgent({ sessions, model, knowledge, logger, clock });
  const operatorKey = config.server.adminApiKey ?? randomBytes(24).toString('base64url');
  const { host, port: wanted } = config.server;
  const app = await buildApp({ config, sessions, agent, operatorKey, logger, clock }).catch(
    async (error: unknown) => {
      await sessions.close();
      throw error;
    },
  );
  try {
    await app.listen({ host: addressOf(host), port: wanted });
  } catch (error) {
    await app.close();
    await sessions.close();
    throw listenError(error, host, wanted);
  }
  const { port } = app.server.address() as AddressInfo;
  print(`Holdfast is ready at http://${shownHost(host)}:${port}`);
  if (config.server.adminApiKey === undefined) {
    print(`Operator key of this run: ${operatorKey} (set ADMIN_API_KEY for a lasting one)`);
  }
  return {
    port,
    async close() {
      await within(graceMs, clock, Promise.all([app.close(), agent.idle()]));
      app.server.closeAllConnections();
      await sessions.close();
    },
  };
}

/**
 * For `localhost` Fastify takes each of its addresses that is free, and says nothing of one that is
 * not: half of the browsers would then reach another server. One address is free or taken.
 */
function addressOf(host: string): string {
  return host === 'localhost' ? '127.0.0.1' : host;
}

/** An address that a browser on this machine can open. */
function shownHost(host: string): string {
  if (['127.0.0.1', '0.0.0.0', '::1', '::'].includes(host)) return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
