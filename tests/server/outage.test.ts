import { devNull } from 'node:os';
import { loadConfig } from 'holdfast';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLogger } from '../../packages/support-agent/src/logger.ts';
import { serve } from '../../packages/support-agent/src/server/serve.ts';
import { EventReader } from '../../packages/support-agent/src/testing/event-reader.ts';
import { GatedModel } from '../../packages/support-agent/src/testing/gated-model.ts';
import { RawClient } from '../servers/raw-client.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import {
  type Answer,
  logOf,
  type OpenSession,
  operatorKey,
  ServerClient,
  ServerOnRedis,
} from './server-on-redis.ts';

const timeoutS = 4;
/** One timeout passed, and surely not two in a row: how fast the machine is decides nothing. */
const boundMs = timeoutS * 1_000 + 3_000;
const patient = {
  REDIS_SOCKET_TIMEOUT: String(timeoutS),
  // A server that stood still does what it was asked meanwhile: it may give out a lease nobody wants.
  SESSION_LOCK_TIMEOUT_SECONDS: '3',
};

async function withinBound(request: Promise<Answer>): Promise<Answer> {
  const start = performance.now();
  const answer = await request;
  expect(performance.now() - start).toBeLessThan(boundMs);
  return answer;
}

const isProblem = (code: unknown) => ({
  status: 503,
  type: expect.stringMatching(/^application\/problem\+json/),
  body: expect.objectContaining({ code }),
});

/** Of a write that was sent, and may be done later. */
const eitherCode = expect.stringMatching(/^(STORE_UNAVAILABLE|OUTCOME_UNKNOWN)$/);

async function becomesHealthy(server: ServerOnRedis): Promise<void> {
  await vi.waitFor(async () => expect((await server.request('GET', '/health')).status).toBe(200), {
    timeout: 60_000,
    interval: 100,
  });
}

async function becomesUnhealthy(server: ServerOnRedis): Promise<void> {
  await vi.waitFor(
    async () => {
      const { status, body } = await server.request('GET', '/health');
      expect(status).toBe(503);
      const operations = { set: false, get: false, delete: false };
      expect(body).toEqual({ healthy: false, operations });
    },
    { timeout: 60_000, interval: 100 },
  );
}

describe('a server that does not find its Redis', () => {
  async function failedStart(env: Record<string, string>) {
    const failed = ServerOnRedis.launch('redis://:hunter2@127.0.0.1:1/3', env);
    expect(await failed.exit).toEqual({ code: 1, signal: null });
    expect(failed.stdout + failed.stderr).not.toContain('hunter2');
    return failed;
  }

  it('does not start, and says why in a line', async () => {
    const failed = await failedStart({});
    expect(logOf(failed).map(({ msg }) => msg)).toEqual(['Redis ping failed: Connection refused']);
    expect(failed.stderr).toMatch(/^Redis at redis:\/\/127\.0\.0\.1:1\/3 refused [^\n]+\.\n$/);
  });

  it('says so without a log, too', async () => {
    const failed = await failedStart({ LOG_LEVEL: 'silent' });
    expect(failed.stdout).toBe('');
    expect(failed.stderr).toMatch(/^Redis at redis:\/\/127\.0\.0\.1:1\/3 refused [^\n]+\.\n$/);
  });

  it('does not start with a wrong password, and shows neither it nor the right one', async () => {
    await using redis = await startRedis({ args: ['--requirepass', 'the-right-one'] });
    const failed = ServerOnRedis.launch(redis.url, { REDIS_PASSWORD: 'hunter2' });
    expect((await failed.exit).code).toBe(1);
    expect(logOf(failed).map(({ msg }) => msg)).toEqual(['Redis ping failed: Wrong password']);
    expect(failed.stderr).toMatch(/^Redis at redis:\/\/127\.0\.0\.1:\d+\/0 [^\n]+\.\n$/);
    expect(failed.stdout + failed.stderr).not.toMatch(/hunter2|the-right-one/);
  });
});

describe('a server that loses its Redis', () => {
  /** What any request gets meanwhile, in its time. */
  async function expectRefusals(server: ServerOnRedis, session: OpenSession, code: unknown) {
    const { token } = session;
    const path = `/api/sessions/${session.id}`;
    const answers = await Promise.all(
      [
        server.say(session, 'Is anybody there?', 'during'),
        server.request('GET', path, { token }),
        server.request('GET', `${path}/messages`, { token }),
        server.request('DELETE', path, { token }),
        server.request('POST', '/api/sessions'),
        server.request('POST', '/api/sessions', { token: operatorKey, body: { user_id: 'ada' } }),
      ].map(withinBound),
    );
    for (const answer of answers) {
      expect(answer).toEqual(isProblem(code));
      expect(JSON.stringify(answer.body)).not.toContain('127.0.0.1');
    }
    expect(await server.request('GET', '/health/live')).toMatchObject({ status: 200 });
    expect(await server.request('GET', '/health/ready')).toMatchObject({ status: 503 });
  }

  async function goesOn(server: ServerOnRedis, session: OpenSession) {
    expect(await server.say(session, 'How long does a refund take?')).toMatchObject({
      status: 200,
      body: { message: expect.stringContaining('five working days') },
    });
  }

  async function serving(redis: RedisServer) {
    const server = await ServerOnRedis.start(redis.url, patient);
    const session = await server.open();
    await goesOn(server, session);
    return { server, session };
  }

  it('says so while it is away, and goes on when it is back', async () => {
    await using redis = await startRedis({ persistence: 'aof' });
    const { server, session } = await serving(redis);
    await redis.kill('SIGKILL');
    await becomesUnhealthy(server);
    await expectRefusals(server, session, 'STORE_UNAVAILABLE');
    await redis.restart();
    await becomesHealthy(server);
    await goesOn(server, session);
    expect(await server.history(session)).toHaveLength(4);
    await server.process.says(/Redis answers again/);
    const messages = logOf(server.process).map(({ msg }) => msg);
    expect(messages.filter((msg) => /^Redis (ping|answers)/.test(msg))).toEqual([
      'Redis ping failed: Connection refused',
      'Redis answers again',
    ]);
  });

  it('says so while it stands still, and goes on when it moves', async () => {
    await using redis = await startRedis();
    const { server, session } = await serving(redis);
    await redis.pause();
    await becomesUnhealthy(server);
    await expectRefusals(server, session, eitherCode);
    redis.resume();
    await becomesHealthy(server);
    await goesOn(server, session);
  });

  it('keeps its streams open, and shows in them what comes when it is back', async () => {
    await using redis = await startRedis({ persistence: 'aof' });
    const { server, session } = await serving(redis);
    const reader = await EventReader.open(`${server.address}/api/sessions/${session.id}/stream`, {
      headers: { authorization: `Bearer ${session.token}` },
    });
    await redis.kill('SIGKILL');
    await becomesUnhealthy(server);
    await redis.restart();
    await becomesHealthy(server);
    expect(reader.events).toEqual([]);
    await goesOn(server, session);
    const events = await reader.until(({ event }) => event === 'turn.completed');
    expect(events[0]?.event).toBe('turn.started');
    expect(events.map(({ id }) => Number(id))).toEqual(
      events.map((_, index) => Number(events[0]?.id) + index),
    );
  });

  it('ends all the same when it is told to', async () => {
    await using redis = await startRedis();
    const { server, session } = await serving(redis);
    await redis.kill('SIGKILL');
    const inFlight = server.say(session, 'Goodbye').then(
      ({ status }) => status,
      () => 'its connection was refused, or ended',
    );
    server.process.send('SIGTERM');
    expect(await server.process.exit).toEqual({ code: 0, signal: null });
    expect([503, 'its connection was refused, or ended']).toContain(await inFlight);
  });
});

describe('a turn that loses its Redis', () => {
  const question = 'Is it in stock?';

  /** A server in this process, whose model answers when it is told to, with a turn on its way. */
  async function inTurn(redis: RedisServer) {
    const model = new GatedModel();
    const server = await serve({
      config: loadConfig({
        env: {
          ...{ API_PORT: '0', SESSION_STORE_TYPE: 'redis', REDIS_URL: redis.url, ...patient },
          // The turn is not to end for want of its lease.
          SESSION_LOCK_TIMEOUT_SECONDS: '20',
        },
        envFile: devNull,
      }),
      logger: createLogger('silent'),
      model,
    });
    onTestFinished(() => server.close());
    const client = new ServerClient(`http://127.0.0.1:${server.port}`);
    const session = await client.open();
    const reply = client.say(session, question, 'key');
    const asked = await model.nextQuestion();
    return { client, session, reply, asked, model };
  }

  it('tells its customer in time, and answers the repeat when Redis is back', async () => {
    await using redis = await startRedis({ persistence: 'aof' });
    const { client, session, reply, asked, model } = await inTurn(redis);
    await redis.pause();
    asked.answer('Yes.');
    const first = await withinBound(reply);
    expect(first).toEqual(
      isProblem(expect.stringMatching(/^(STORE_UNAVAILABLE|OUTCOME_UNKNOWN)$/)),
    );
    redis.resume();
    // What was asked before it stood still may have been done since.
    void model.nextQuestion().then((again) => again.answer('Yes.'));
    const repeat = await client.say(session, question, 'key');
    expect(repeat).toMatchObject({ status: 200, body: { message: 'Yes.' } });
    const history = await client.history(session);
    expect(history.map(({ content }) => content.text)).toEqual([question, 'Yes.']);
  });
});

it('closes its connections when it ends', async () => {
  await using redis = await startRedis();
  const server = await ServerOnRedis.start(redis.url);
  const raw = await RawClient.connect(redis.port);
  const connections = async () => (await raw.send('CLIENT', 'LIST')).match(/name=holdfast-\S+/g);
  expect(await connections()).toEqual(['name=holdfast-commands', 'name=holdfast-subscriptions']);
  server.process.send('SIGTERM');
  expect(await server.process.exit).toEqual({ code: 0, signal: null });
  expect(server.process.stderr).toBe('');
  expect(await connections()).toBeNull();
});
