import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  ChatServer,
  cutOff,
  hanging,
  refusal,
  said,
  search,
  streamed,
} from '../../packages/support-agent/src/testing/chat-server.ts';
import { EventReader } from '../../packages/support-agent/src/testing/event-reader.ts';
import { makeTemporaryFolder, removeFolder } from '../helpers/temporary-folder.ts';
import { redisForTests } from '../servers/redis-for-tests.ts';
import type { RedisAddress } from '../servers/redis-server.ts';
import { type OpenSession, ServerOnRedis } from './server-on-redis.ts';

const key = 'sk-of-the-tests-0123456789';
const question = 'When do I get my money back?';

let redis: RedisAddress;
beforeAll(async () => {
  redis = await redisForTests();
  return () => redis.stop();
});

/** A built server whose model is the one at `chat`. */
function startServer(chat: ChatServer, env: Record<string, string> = {}): Promise<ServerOnRedis> {
  return ServerOnRedis.start(redis.url, {
    AI_PROVIDER: 'openai',
    OPENAI_API_KEY: key,
    OPENAI_API_BASE: chat.base,
    AGENT_MODEL: 'small-model',
    REDIS_SESSION_KEY_PREFIX: `model:${randomUUID()}:`,
    ...env,
  });
}

const spoken = async (server: ServerOnRedis, session: OpenSession) =>
  (await server.history(session)).map(({ role, content }) => [role, content.text]);

async function messageCount(server: ServerOnRedis, { id, token }: OpenSession) {
  return (await server.request('GET', `/api/sessions/${id}`, { token })).body.message_count;
}

function streamOf(server: ServerOnRedis, { id, token }: OpenSession, idempotencyKey: string) {
  return EventReader.open(`${server.address}/api/sessions/${id}/messages`, {
    headers: { authorization: `Bearer ${token}`, 'idempotency-key': idempotencyKey },
    body: { message: question },
  });
}

describe.each(['in_memory', 'redis'])('a server on %s with a model on a server', (store) => {
  const env = { SESSION_STORE_TYPE: store };

  it('answers from what its searches found', async () => {
    const chat = await ChatServer.start(
      streamed(search('How long does a refund take?'), { usage: [900, 20] }),
      streamed(said('Within five ', 'working days (see “Refunds”).'), { usage: [1_400, 30] }),
    );
    const server = await startServer(chat, env);
    const session = await server.open();
    const { status, body } = await server.say(session, question);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      message: 'Within five working days (see “Refunds”).',
      tools_used: ['search_knowledge'],
      requires_escalation: false,
    });
    expect(body.sources).toContainEqual(
      expect.objectContaining({ id: 'refunds#how-long-a-refund-takes' }),
    );
    const [first, second] = chat.requests;
    expect(first?.authorization).toBe(`Bearer ${key}`);
    expect(first?.body).toMatchObject({ model: 'small-model', stream: true });
    expect(first?.body.messages[0]?.content).toContain('Fjell & Fern');
    expect(second?.body.messages.at(-1)).toMatchObject({
      role: 'tool',
      content: expect.stringContaining('within five working days'),
    });
    expect((await server.request('GET', '/health')).body.healthy).toBe(true);
  });

  it('gets over a server that is busy', async () => {
    const chat = await ChatServer.start(
      refusal(429, 'rate_limit_exceeded', { 'retry-after': '1' }),
      refusal(500, 'server_error'),
      streamed(said('Good morning!')),
    );
    const server = await startServer(chat, env);
    const { body } = await server.say(await server.open(), 'Good morning');
    expect(body.message).toBe('Good morning!');
    expect(chat.requests).toHaveLength(3);
  });

  it('says what to do when its key is refused, and not the key', async () => {
    const chat = await ChatServer.start(refusal(401, 'invalid_api_key'));
    const server = await startServer(chat, env);
    const { status, type, body } = await server.say(await server.open(), question);
    expect([status, body.code]).toEqual([502, 'MODEL_FAILED']);
    expect(type).toMatch(/^application\/problem\+json/);
    await server.process.says(/Check OPENAI_API_KEY\./);
    expect(server.process.stdout + server.process.stderr + JSON.stringify(body)).not.toContain(key);
  });

  it.each([
    ['breaks off', cutOff(said('Within ')), 502, 'MODEL_FAILED'],
    ['falls silent', hanging(said('Within ')), 504, 'MODEL_TIMEOUT'],
  ])(
    'completes a message whose answer %s when it is sent again',
    async (_, answer, status, code) => {
      const chat = await ChatServer.start(answer, streamed(said('Within five days.')));
      const server = await startServer(chat, { ...env, AGENT_MODEL_TIMEOUT_SECONDS: '5' });
      const session = await server.open();
      const events = await (await streamOf(server, session, 'k-1')).all();
      expect(events.map(({ event, data }) => data.text ?? event)).toEqual([
        ...['turn.started', 'Within ', 'turn.failed', 'error'],
      ]);
      expect(events.at(-1)?.data).toMatchObject({ status, code });
      await chat.requests[0]?.closed;
      expect((await server.say(session, question, 'k-1')).body.message).toBe('Within five days.');
      expect(await spoken(server, session)).toEqual([
        ['user', question],
        ['assistant', 'Within five days.'],
      ]);
      expect(await messageCount(server, session)).toBe(1);
    },
  );

  it('asks with another key after a SIGHUP', async () => {
    const folder = makeTemporaryFolder();
    onTestFinished(() => removeFolder(folder));
    const path = join(folder, 'key');
    writeFileSync(path, 'sk-first\n');
    const chat = await ChatServer.start(streamed(said('One.')), streamed(said('Two.')));
    const file = { OPENAI_API_KEY: '', OPENAI_API_KEY_FILE: path };
    const server = await startServer(chat, { ...env, ...file });
    const session = await server.open();
    await server.say(session, 'Hello');
    writeFileSync(path, 'sk-second\n');
    server.process.send('SIGHUP');
    await server.process.says(/keys read again/);
    await server.say(session, 'Hello');
    expect(chat.requests.map(({ authorization }) => authorization)).toEqual([
      ...['Bearer sk-first', 'Bearer sk-second'],
    ]);
  });
});

it('a message whose server dies while the model answers is completed by another, once', async () => {
  const chat = await ChatServer.start(
    streamed(search('How long does a refund take?')),
    hanging(said('Within ')),
    streamed(search('How long does a refund take?')),
    streamed(said('Within five days (see “Refunds”).')),
  );
  const prefix = { REDIS_SESSION_KEY_PREFIX: `model:${randomUUID()}:` };
  const env = { ...prefix, SESSION_LOCK_TIMEOUT_SECONDS: '3' };
  const [doomed, survivor] = await Promise.all([startServer(chat, env), startServer(chat, env)]);
  const session = await doomed.open();
  const reader = await streamOf(doomed, session, 'k-1');
  await reader.until(({ data }) => data.text === 'Within ');
  doomed.process.send('SIGKILL');
  await chat.requests[1]?.closed;
  const { status, body } = await survivor.say(session, question, 'k-1');
  expect([status, body.message]).toEqual([200, 'Within five days (see “Refunds”).']);
  expect((await survivor.say(session, question, 'k-1')).body.message).toBe(body.message);
  expect(await spoken(survivor, session)).toEqual([
    ['user', question],
    ['assistant', body.message],
  ]);
  expect(await messageCount(survivor, session)).toBe(1);
  expect(chat.requests).toHaveLength(4);
});

describe('what speaks to model servers', () => {
  /** Refuses to load it. */
  const hooks = `export async function resolve(name, context, next) {
    if (name.startsWith('@ai-sdk/')) throw new Error('loaded: ' + name);
    return next(name, context);
  }`;
  const script = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`;
  const register = `import { register } from 'node:module'; register(${JSON.stringify(script(hooks))});`;
  const env = { SESSION_STORE_TYPE: 'in_memory', NODE_OPTIONS: `--import=${script(register)}` };

  it('is not loaded for the local model', async () => {
    const server = await ServerOnRedis.start(redis.url, env);
    const { body } = await server.say(await server.open(), 'How long does a refund take?');
    expect(body.message).toContain('within five working days');
  });

  it('is for another one', async () => {
    const openai = { AI_PROVIDER: 'openai', OPENAI_API_KEY: key };
    const process = ServerOnRedis.launch(redis.url, { ...env, ...openai });
    expect((await process.exit).code).not.toBe(0);
    expect(process.stderr).toContain('loaded: @ai-sdk/');
  });
});

it('a server without a key does not start, and says which setting it lacks', async () => {
  const process = ServerOnRedis.launch(redis.url, { AI_PROVIDER: 'openai' });
  expect((await process.exit).code).toBe(1);
  expect(process.stderr).toContain('AI_PROVIDER=openai needs a key: set OPENAI_API_KEY');
});
