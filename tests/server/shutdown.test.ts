import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { devNull } from 'node:os';
import { loadConfig } from 'holdfast';
import { expect, it, onTestFinished } from 'vitest';
import { createLogger } from '../../packages/support-agent/src/logger.ts';
import { serve } from '../../packages/support-agent/src/server/serve.ts';
import { EventReader } from '../../packages/support-agent/src/testing/event-reader.ts';
import { GatedModel } from '../../packages/support-agent/src/testing/gated-model.ts';
import { redisForTests } from '../servers/redis-for-tests.ts';
import { logOf, type OpenSession, ServerClient, ServerOnRedis } from './server-on-redis.ts';

/** A server in this process, whose model answers when it is told to. */
async function gatedServer(env: Record<string, string>, graceMs?: number) {
  const model = new GatedModel();
  const server = await serve({
    config: loadConfig({ env: { API_PORT: '0', ...env }, envFile: devNull }),
    logger: createLogger('silent'),
    model,
    graceMs,
  });
  onTestFinished(() => server.close());
  return { server, model, client: new ServerClient(`http://127.0.0.1:${server.port}`) };
}

it('a turn that a stopping server gives up is taken by another at once', async () => {
  await using redis = await redisForTests();
  const env = {
    SESSION_STORE_TYPE: 'redis',
    REDIS_URL: redis.url,
    REDIS_SESSION_KEY_PREFIX: `shutdown:${randomUUID()}:`,
    // Nobody waits so long for a session that was not handed back.
    SESSION_LOCK_TIMEOUT_SECONDS: '600',
    SESSION_LOCK_WAIT_SECONDS: '50',
  };
  const [stopping, other] = await Promise.all([gatedServer(env, 100), gatedServer(env)]);
  const session = await stopping.client.open();
  const first = stopping.client.say(session, 'Is it in stock?', 'k-1');
  await stopping.model.nextQuestion();
  const waiting = other.client.say(session, 'And in red?', 'k-2');

  await stopping.server.close();
  expect(await first).toMatchObject({ status: 503, body: { code: 'SERVER_CLOSING' } });
  (await other.model.nextQuestion()).answer('In red, yes.');
  expect(await waiting).toMatchObject({ status: 200, body: { message: 'In red, yes.' } });
  const retry = other.client.say(session, 'Is it in stock?', 'k-1');
  (await other.model.nextQuestion()).answer('It is.');
  expect(await retry).toMatchObject({ status: 200, body: { message: 'It is.' } });
  const history = await other.client.history(session);
  expect(history.map(({ role, content }) => [role, content.text])).toEqual([
    ['user', 'Is it in stock?'],
    ['user', 'And in red?'],
    ['assistant', 'In red, yes.'],
    ['assistant', 'It is.'],
  ]);
});

it('what has reached a server that is told to stop is answered', async () => {
  await using redis = await redisForTests();
  const server = await ServerOnRedis.start(redis.url, {
    REDIS_SESSION_KEY_PREFIX: `shutdown:${randomUUID()}:`,
  });
  const sessions = await Promise.all(Array.from({ length: 40 }, () => server.open()));
  // All of it waits in the system for a server that does nothing, and is told to end.
  server.process.send('SIGSTOP');
  const sent = sessions.map((session) => send(server.address, session, 'Where is my order?'));
  await Promise.all(sent.map(({ isSent }) => isSent));
  server.process.send('SIGTERM');
  server.process.send('SIGCONT');
  const statuses = await Promise.all(sent.map(({ status }) => status));
  expect(statuses).toEqual(sessions.map(() => 200));
  expect(await server.process.exit).toEqual({ code: 0, signal: null });
});

it('a server that is told to stop tells its streams, and ends', async () => {
  await using redis = await redisForTests();
  const server = await ServerOnRedis.start(redis.url, {
    REDIS_SESSION_KEY_PREFIX: `shutdown:${randomUUID()}:`,
  });
  const { id, token } = await server.open();
  const address = `${server.address}/api/sessions/${id}/stream`;
  const reader = await EventReader.open(address, { headers: { authorization: `Bearer ${token}` } });
  server.process.send('SIGTERM');
  expect((await reader.all()).map(({ event }) => event)).toEqual(['server.closing']);
  expect(reader.retry).toBe(1_000);
  expect(await server.process.exit).toEqual({ code: 0, signal: null });
  expect(server.process.stderr).toBe('');
  expect(logOf(server.process).filter(({ level }) => level >= 50)).toEqual([]);
});

/** A message over a connection of its own. */
function send(address: string, { id, token }: OpenSession, message: string) {
  const request = httpRequest(`${address}/api/sessions/${id}/messages`, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
  });
  const status = new Promise<number | string | undefined>((resolve) => {
    request.once('response', (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode));
    });
    request.once('error', (error) => resolve(error.message));
  });
  const isSent = once(request, 'finish');
  request.end(JSON.stringify({ message }));
  return { isSent, status };
}
