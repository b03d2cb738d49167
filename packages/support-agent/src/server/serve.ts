import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { type Clock, type Config, createSessionManager, Secret, systemClock } from 'holdfast';
import type { Logger } from 'pino';
import { CustomerSupportAgent } from '../agent/customer-support-agent.ts';
import { openKnowledge } from '../knowledge/knowledge-folder.ts';
import { createModel } from '../model/create-model.ts';
import type { Model } from '../model/model.ts';
import { tracer } from '../telemetry/tracer.ts';
import { within } from '../within.ts';
import { buildApp } from './app.ts';
import { HttpProblem } from './errors/http-problem.ts';
import { listenError } from './start-error.ts';

/** How long running turns may take to finish once the server is to stop. */
const defaultGraceMs = 10_000;
/** How long those that did not may take to hand back their sessions. */
const handBackMs = 2_000;

export interface ServeOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** The one that the settings name unless given. */
  readonly model?: Model | undefined;
  readonly clock?: Clock | undefined;
  /** How long running turns may take to finish when the server stops; 10,000 unless given. */
  readonly graceMs?: number | undefined;
}

export interface RunningServer {
  readonly port: number;
  /** For whoever started it, once they can stop it, too: where it is, and what must not be in a log. */
  readonly greeting: string;
  /**
   * Stops accepting, tells the streams, and closes the sessions. Running turns may finish; those that
   * do not in time are given up, and their sessions are free for other instances at once.
   */
  close(): Promise<void>;
}

/**
 * Builds everything from the settings and listens.
 *
 * @throws ConfigError, StoreUnavailableError, StartError: their messages say what to do.
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const opened = new Opened();
  try {
    return await start(options, opened);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

interface Closable {
  close(): Promise<unknown>;
}

/** What is open, to be closed in the order in which it can be spared. */
class Opened {
  readonly #resources: Closable[] = [];

  add<Resource extends Closable>(resource: Resource): Resource {
    this.#resources.push(resource);
    return resource;
  }

  async close(): Promise<void> {
    for (const resource of [...this.#resources].reverse()) await resource.close();
  }
}

async function start(options: ServeOptions, opened: Opened): Promise<RunningServer> {
  const { config, logger, clock = systemClock } = options;
  const { graceMs = defaultGraceMs } = options;
  const giveUp = new AbortController();
  const sessions = opened.add(await createSessionManager(config, { logger, clock, tracer }));
  const knowledge = opened.add(await openKnowledge(config.agent.knowledgeDir, logger));
  const model = options.model ?? (await createModel(config.agent, clock));
  const agent = new CustomerSupportAgent({ sessions, model, knowledge, logger, clock });
  const operatorKey = config.server.adminApiKey ?? Secret.of(randomBytes(24).toString('base64url'));
  const { host, port: wanted, tls } = config.server;
  const app = opened.add(
    await buildApp({
      ...{ config, sessions, agent, knowledge, operatorKey, logger, clock },
      giveUp: giveUp.signal,
    }),
  );
  await app.listen({ host: addressOf(host), port: wanted }).catch((error: unknown) => {
    throw listenError(error, host, wanted);
  });
  const { port } = app.server.address() as AddressInfo;
  const scheme = tls === undefined ? 'http' : 'https';
  const greeting = [`Holdfast is ready at ${scheme}://${shownHost(host)}:${port}`];
  if (config.server.adminApiKey === undefined) {
    greeting.push(
      `Operator key of this run: ${operatorKey.value} (set ADMIN_API_KEY for a lasting one)`,
    );
  }
  return {
    port,
    greeting: greeting.join('\n'),
    async close() {
      // Once it is closed no message comes any more.
      const done = app.close().then(() => agent.idle());
      if ((await within(graceMs, clock, done)) === 'late') {
        giveUp.abort(new HttpProblem('SERVER_CLOSING', handedBack));
        await within(handBackMs, clock, done);
      }
      app.server.closeAllConnections();
      await opened.close();
    },
  };
}

const handedBack =
  'The server is stopping, and the message is not answered yet. Send it again, under the same Idempotency-Key.';

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
