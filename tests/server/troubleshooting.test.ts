import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { generateKey } from 'holdfast/encryption';
import { RedisSessionStore } from 'holdfast/redis';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  ChatServer,
  hanging,
  refusal,
} from '../../packages/support-agent/src/testing/chat-server.ts';
import { repositoryRoot } from '../helpers/repository.ts';
import { connected } from '../redis/connection/fixtures.ts';
import { startRedis } from '../servers/redis-server.ts';
import { logOf, ServerOnRedis } from './server-on-redis.ts';

const page = await readFile(join(repositoryRoot, 'docs/troubleshooting.md'), 'utf8');
const documented = [...page.matchAll(/^```log\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
  block.trim().split('\n'),
);
const seen = new Set<string>();
afterAll(() => {
  expect(documented.filter((line) => !seen.has(line))).toEqual([]);
});

const soon = { timeout: 60_000, interval: 50 };

/** Resolves when a line that the page has, and that begins so, stands in the log as the page has it. */
async function isLogged({ process }: Pick<ServerOnRedis, 'process'>, beginning: string) {
  const line = documented.find((one) => one.startsWith(beginning));
  if (line === undefined) throw new Error(`The page has no line that begins with "${beginning}".`);
  const parts = line.split(/<\w+>/).map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  const pattern = new RegExp(`^${parts.join('\\S.*?')}$`);
  const lines = () => [
    ...process.stderr.split('\n'),
    ...logOf(process).flatMap(({ msg, ...more }) => {
      const { err } = more as { err?: { message?: string } };
      return [msg, err?.message ?? ''];
    }),
  ];
  await expect.poll(() => lines().some((one) => pattern.test(one)), soon).toBe(true);
  seen.add(line);
}

async function ownRedis() {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  return redis;
}

describe('what the page about troubles quotes is logged, when', () => {
  it('a client is another one', async () => {
    const { url } = await ownRedis();
    const server = await ServerOnRedis.start(url, { TRUSTED_PROXIES: '127.0.0.1' });
    const send = (path: string, address: string, token?: string, body?: object) =>
      fetch(`${server.address}${path}`, {
        method: 'POST',
        headers: {
          'x-forwarded-for': address,
          'content-type': 'application/json',
          ...(token && { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(body ?? {}),
      });
    const created = await send('/api/sessions', '203.0.113.7');
    const { session_id: id, token } = (await created.json()) as Record<string, string>;
    const path = `/api/sessions/${id}/messages`;
    expect((await send(path, '198.51.100.7', token, { message: 'Hello' })).status).toBe(200);
    await isLogged(server, 'Session fingerprint mismatch');
  });

  it('Redis is not there at the start', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => free.once('listening', resolve));
    const { port } = free.address() as { port: number };
    await new Promise((resolve) => free.close(resolve));
    const process = ServerOnRedis.launch(`redis://127.0.0.1:${port}/0`);
    expect(await process.exit).toEqual({ code: 1, signal: null });
    await isLogged({ process }, 'Redis at ');
  });

  it('Redis goes and comes back', async () => {
    const redis = await ownRedis();
    const server = await ServerOnRedis.start(redis.url);
    await redis.kill('SIGKILL');
    const ready = async () => (await fetch(`${server.address}/health/ready`)).status;
    await expect.poll(ready, soon).toBe(503);
    await isLogged(server, 'Redis ping failed');
    await redis.restart();
    await expect.poll(ready, soon).toBe(200);
    await isLogged(server, 'Redis answers again');
  });

  it('Redis would lose sessions', async () => {
    const redis = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] });
    onTestFinished(() => redis.stop());
    const server = await ServerOnRedis.start(redis.url);
    await isLogged(server, 'Redis drops sessions');
    await isLogged(server, 'Redis keeps nothing on disk');
  });

  it('a session stays busy', async () => {
    const { url } = await ownRedis();
    const keyPrefix = 'busy:';
    const server = await ServerOnRedis.start(url, {
      REDIS_SESSION_KEY_PREFIX: keyPrefix,
      SESSION_LOCK_WAIT_SECONDS: '1',
    });
    const session = await server.open();
    await using store = await RedisSessionStore.connect({ url, keyPrefix });
    await store.begin(session.id, {
      ...{ nonce: randomUUID(), leaseMs: 600_000 },
      ...{ onBusy: 'wait', waitMs: 0 },
    });
    const answer = await server.say(session, 'Hello');
    expect(answer).toMatchObject({ status: 503, body: { code: 'LOCK_TIMEOUT' } });
    await isLogged(server, 'Failed to acquire lock');
  });

  it('a key is missing', async () => {
    const { url } = await ownRedis();
    const [one, other] = await Promise.all(
      [1, 2].map(() => ServerOnRedis.start(url, { SESSION_ENCRYPTION_KEY: generateKey() })),
    );
    const session = await (one as ServerOnRedis).open();
    const answer = await (other as ServerOnRedis).say(session, 'Hello');
    expect(answer).toMatchObject({ status: 500, body: { code: 'DECRYPTION' } });
    await isLogged(other as ServerOnRedis, 'The state of session');
  });

  it('a session is damaged', async () => {
    const { url } = await ownRedis();
    const key = { SESSION_ENCRYPTION_KEY: generateKey() };
    const session = await (await ServerOnRedis.start(url, key)).open();
    const admin = await connected(url);
    const keys = (await admin.send(['KEYS', `*s:{*}:${session.id}`])) as readonly Buffer[];
    const cut = `redis.call('HSET', KEYS[1], 'd', string.sub(redis.call('HGET', KEYS[1], 'd'), 1, -2))`;
    await admin.send(['EVAL', cut, String(keys.length), ...keys.map(String)]);
    // The first process has what it needs of the session, and does not ask for it again.
    const other = await ServerOnRedis.start(url, key);
    const answer = await other.say(session, 'Hello');
    expect(answer).toMatchObject({ status: 500, body: { code: 'DECRYPTION' } });
    await isLogged(other, 'The state of session <id> failed');
  });

  it('Redis has lost writes', async () => {
    const redis = await ownRedis();
    const server = await ServerOnRedis.start(redis.url, { SESSION_ENCRYPTION_KEY: generateKey() });
    const session = await server.open();
    await (await connected(redis.url)).send(['SAVE']);
    expect((await server.say(session, 'Hello')).status).toBe(200);
    await redis.kill('SIGKILL');
    await redis.restart();
    const answers = async () => (await server.say(session, 'Hello again')).status;
    await expect.poll(answers, soon).toBe(200);
    await isLogged(server, 'session lost its last writes');
  });

  it('a client guesses', async () => {
    const { url } = await ownRedis();
    const limits = { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_REQUESTS: '25' };
    const server = await ServerOnRedis.start(url, limits);
    const { id } = await server.open();
    for (let n = 0; n < 5; n++) {
      await server.request('GET', `/api/sessions/${id}`, { token: `guess-${n}` });
    }
    await isLogged(server, 'a client sends wrong tokens');
  });

  it('a model server gives no answer', async () => {
    const { url } = await ownRedis();
    const chat = await ChatServer.start(
      refusal(401, 'invalid_api_key'),
      refusal(404, 'model_not_found'),
      refusal(429, 'rate_limit_exceeded', { 'retry-after': '9' }),
      hanging(),
    );
    const server = await ServerOnRedis.start(url, {
      AI_PROVIDER: 'openai',
      OPENAI_API_BASE: chat.base,
      AGENT_MODEL_TIMEOUT_SECONDS: '5',
    });
    const session = await server.open();
    const statuses: number[] = [];
    const ask = async () => statuses.push((await server.say(session, 'Hello')).status);
    for (let n = 0; n < 4; n += 1) await ask();
    chat.stop();
    await ask();
    expect(statuses).toEqual([502, 502, 503, 504, 503]);
    await isLogged(server, 'The model server refused the key');
    await isLogged(server, 'The model server knows no such model');
    await isLogged(server, 'The model server cannot answer now');
    await isLogged(server, 'The model server said nothing');
    await isLogged(server, 'The model server at OPENAI_API_BASE');
  });
});
