import type { AddressInfo } from 'node:net';
import { devNull } from 'node:os';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  InjectOptions,
  LightMyRequestResponse,
} from 'fastify';
import { loadConfig, Secret, type Session, type SessionManager, type Tracer } from 'holdfast';
import { Fingerprinter } from 'holdfast/fingerprint';
import { createTestSessions, FakeClock, Faults } from 'holdfast/testing';
import { expect, onTestFinished } from 'vitest';
import { CustomerSupportAgent } from '../agent/customer-support-agent.ts';
import { loadKnowledge } from '../knowledge/load-knowledge.ts';
import { createLogger } from '../logger.ts';
import { LocalModel } from '../model/local/local-model.ts';
import type { Model } from '../model/model.ts';
import { buildApp } from '../server/app.ts';
import { SecretWatch } from './secret-watch.ts';

const operatorKey = 'operator-key-of-the-tests';
export const operator = { authorization: `Bearer ${operatorKey}` };

export interface TestAppOptions {
  readonly maxStreams?: number;
  readonly requestTimeoutMs?: number;
  readonly model?: Model;
  readonly env?: Readonly<Record<string, string>>;
  readonly logger?: FastifyBaseLogger;
  readonly pagesDirectory?: string;
  readonly tracer?: Tracer;
}

export interface OpenSession {
  readonly id: string;
  readonly url: string;
  readonly token: string;
  readonly auth: { readonly authorization: string };
}

export interface TestApp {
  readonly sessions: SessionManager;
  readonly clock: FakeClock;
  readonly faults: Faults;
  readonly app: FastifyInstance;
  readonly agent: CustomerSupportAgent;
  request(
    method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    url: string,
    options?: Pick<InjectOptions, 'headers' | 'payload'>,
  ): Promise<LightMyRequestResponse>;
  /** Opens a port; where the server is then. */
  listen(): Promise<string>;
  /** A new session, as a customer gets it. */
  open(): Promise<OpenSession>;
  say(session: OpenSession, message: string, headers?: object): Promise<LightMyRequestResponse>;
  /** How many event streams the server counts. */
  openStreams(): Promise<number>;
  stored(session: OpenSession): Promise<Session | null>;
  /** What was said in a conversation, as it is stored: role and text. */
  transcript(session: OpenSession): Promise<[string, string][]>;
}

/** The whole server on sessions in memory, without a port, closed with the test. */
export async function startTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const { model = new LocalModel(), env = {}, pagesDirectory } = options;
  let log = '';
  const debugLog = createLogger('debug', { write: (line) => (log += line) });
  const { logger = debugLog } = options;
  const secrets = new SecretWatch(() => log);
  secrets.keep(operatorKey);
  const { maxStreams, requestTimeoutMs, tracer } = options;
  const clock = new FakeClock();
  const faults = new Faults();
  // Most tests send more than a customer would; those of the limits set them.
  const config = loadConfig({ env: { RATE_LIMIT_ENABLED: 'false', ...env }, envFile: devNull });
  const { strict, bind } = config.fingerprint;
  const binding = { clientBinding: new Fingerprinter({ bind }), strictClientBinding: strict };
  const sessions = createTestSessions({ clock, faults, logger, tracer, ...binding });
  const knowledge = await loadKnowledge();
  const agent = new CustomerSupportAgent({ sessions, model, knowledge, logger, clock });
  const app = await buildApp({
    ...{ config, sessions, agent, knowledge, logger, clock },
    operatorKey: Secret.of(operatorKey),
    ...{ pagesDirectory, maxStreams, requestTimeoutMs, checkAnswers: true },
  });
  onTestFinished(async () => {
    await app.close();
    await sessions.close();
  });
  const request: TestApp['request'] = (method, url, more) => {
    secrets.keep(more?.payload);
    return app.inject({ method, url, ...more });
  };
  return {
    app,
    agent,
    sessions,
    clock,
    faults,
    request,
    async listen() {
      await app.listen({ host: '127.0.0.1', port: 0 });
      return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
    },
    async open() {
      const response = await request('POST', '/api/sessions');
      const { session_id: id, token } = response.json<{ session_id: string; token: string }>();
      const auth = { authorization: `Bearer ${token}` };
      secrets.keep(token);
      return { id, url: `/api/sessions/${id}`, token, auth };
    },
    say: ({ url, auth }, message, headers = {}) =>
      request('POST', `${url}/messages`, {
        headers: { ...auth, ...headers },
        payload: { message },
      }),
    async openStreams() {
      const { body } = await request('GET', '/metrics', { headers: operator });
      return Number(/^holdfast_open_streams (\d+)$/m.exec(body)?.[1]);
    },
    stored: ({ id }) => sessions.store.get(id),
    async transcript({ id }) {
      const messages = await sessions.store.messages(id);
      return messages.flatMap(({ role, content }): [string, string][] => {
        const { text } = content as { text?: string };
        return text === undefined || text === '' ? [] : [[role, text]];
      });
    },
  };
}

export function expectProblem(
  response: LightMyRequestResponse,
  status: number,
  code: string,
): void {
  expect(response.statusCode, response.body).toBe(status);
  expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(response.headers['cache-control']).toBe('no-store');
  expect(response.headers['x-request-id']).toMatch(/^[\x21-\x7e]{1,128}$/);
  expect(response.json()).toEqual({
    type: expect.any(String),
    title: expect.any(String),
    status,
    detail: expect.stringMatching(/^\S.+\.$/s),
    code,
  });
}
