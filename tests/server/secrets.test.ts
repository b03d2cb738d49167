import { randomUUID } from 'node:crypto';
import { generateKey } from 'holdfast/encryption';
import { expect, it } from 'vitest';
import { connected } from '../redis/connection/fixtures.ts';
import { startRedis } from '../servers/redis-server.ts';
import { operatorKey, ServerOnRedis } from './server-on-redis.ts';

/** What must be nowhere, in any of the forms in which it could be. */
const planted = {
  message: 'my-secret-message-Zp3Qv81x',
  metadata: 'my-secret-metadata-Hw72Lk0b',
  user: 'secret-user-Xy55Tt29',
  address: '203.0.113.77',
  network: '203.0.113.',
  email: 'secret.customer.9f2c@example.org',
};

function forms(secret: string | Buffer): readonly Buffer[] {
  const bytes = Buffer.from(secret);
  // In base64 a text looks otherwise behind one or two other bytes: what is the same is searched for.
  const shifted = [0, 1, 2].map((by) =>
    Buffer.concat([Buffer.alloc(by), bytes])
      .toString('base64')
      .slice(4, -4),
  );
  const encoded = shifted.flatMap((text) => [
    text,
    Buffer.from(text, 'base64').toString('base64url'),
  ]);
  return [bytes, bytes.toString('hex'), ...encoded].map((form) => Buffer.from(form));
}

/** Every key, and all that it holds, one after another. */
async function dumpOf(url: string): Promise<Buffer> {
  const connection = await connected(url);
  const flat = (reply: unknown): Buffer[] =>
    Array.isArray(reply) ? reply.flatMap(flat) : [Buffer.from(reply as Buffer), Buffer.from('\n')];
  const parts: Buffer[] = [];
  for (const key of (await connection.send(['KEYS', '*'])) as Buffer[]) {
    const type = String(await connection.send(['TYPE', key]));
    const read: Record<string, (string | Buffer)[]> = {
      string: ['GET', key],
      hash: ['HGETALL', key],
      list: ['LRANGE', key, '0', '-1'],
      zset: ['ZRANGE', key, '0', '-1'],
    };
    const command = read[type];
    if (command === undefined) throw new Error(`A key of type ${type}.`);
    parts.push(key, ...flat(await connection.send(command)));
  }
  return Buffer.concat(parts);
}

it.each(['aes-256-gcm', 'fernet'])(
  'nothing that is secret stands in Redis or in a log, whatever happened (%s)',
  async (cipher) => {
    const redis = await startRedis();
    const key = generateKey();
    const server = await ServerOnRedis.start(redis.url, {
      ...{ SESSION_ENCRYPTION_KEY: key, SESSION_ENCRYPTION_CIPHER: cipher },
      ...{ LOG_LEVEL: 'trace', TRUSTED_PROXIES: '127.0.0.1', RATE_LIMIT_ENABLED: 'true' },
    });
    const headers = {
      'content-type': 'application/json',
      'x-forwarded-for': planted.address,
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Chrome/141.0.0.0 Safari/537.36',
    };
    const call = (method: string, path: string, body?: object, more: object = {}) =>
      fetch(`${server.address}${path}`, {
        method,
        headers: { ...headers, ...more },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const operator = { authorization: `Bearer ${operatorKey}` };
    const customer = { user_id: planted.user, metadata: { note: planted.metadata } };
    const created = await call('POST', '/api/sessions', customer, operator);
    expect(created.status).toBe(201);
    const { session_id: id, token } = (await created.json()) as Record<string, string>;
    const bearer = { authorization: `Bearer ${token}` };
    const path = `/api/sessions/${id}`;
    const idempotent = { ...bearer, 'idempotency-key': randomUUID() };
    const said = { message: `${planted.message}: my email is ${planted.email}, call a human` };
    for (const accept of ['application/json', 'application/json', 'text/event-stream']) {
      const answer = await call('POST', `${path}/messages`, said, { ...idempotent, accept });
      expect(answer.status).toBe(200);
      await answer.text();
    }
    expect(await (await call('GET', `${path}/messages`, undefined, bearer)).text()).toContain(
      planted.message,
    );
    // What goes wrong is logged too.
    await call('POST', `${path}/messages`, { message: '', wrong: planted.message }, bearer);
    await call('POST', `${path}/messages`, { message: `other ${planted.message}` }, idempotent);
    await call('GET', path, undefined, { authorization: `Bearer ${token}x` });
    await call('GET', `/api/sessions?user_id=${planted.user}`, undefined, {
      authorization: 'Bearer wrong-operator-key',
    });
    await call('GET', `/api/users/${planted.user}/sessions`, undefined, operator);
    const connection = await connected(redis.url);
    const [session] = ((await connection.send(['KEYS', '*:s:*'])) as Buffer[]).map(String);
    const state = (await connection.send(['HGET', session ?? '', 'd'])) as Buffer;
    await connection.send(['HSET', session ?? '', 'd', Buffer.concat([state, Buffer.of(0)])]);
    const dump = await dumpOf(redis.url);
    await server.process.stop();
    const log = Buffer.from(server.process.stdout + server.process.stderr);
    expect(log.length).toBeGreaterThan(1_000);
    expect(dump.length).toBeGreaterThan(1_000);
    expect(dump.includes(id ?? '')).toBe(true);
    expect(dump.includes(':t:{'), 'what is counted of clients').toBe(true);
    const secrets = {
      ...planted,
      token: token ?? '',
      key,
      keyBytes: Buffer.from(key, 'base64url'),
      operatorKey,
    };
    for (const [name, secret] of Object.entries(secrets)) {
      for (const form of forms(secret)) {
        expect(dump.includes(form), `${name} in Redis, as ${form}`).toBe(false);
        expect(log.includes(form), `${name} in the log, as ${form}`).toBe(false);
      }
    }
    await redis.stop();
  },
);
