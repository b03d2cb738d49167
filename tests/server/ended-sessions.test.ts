import { expect, it, onTestFinished } from 'vitest';
import { asking } from '../redis/support/asking.ts';
import { startRedis } from '../servers/redis-server.ts';
import { type OpenSession, operatorKey, ServerOnRedis } from './server-on-redis.ts';

const routes = [
  ['GET', ''],
  ['GET', '/messages'],
  ['GET', '/stream'],
  ['GET', '/others'],
  ['POST', '/messages', { message: 'Hello?' }],
  ['POST', '/token'],
  ['PATCH', '/status', { status: 'closed' }],
  ['DELETE', ''],
] as const;

async function twoServers() {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const servers = await Promise.all([1, 2].map(() => ServerOnRedis.start(redis.url)));
  const [one, other] = servers as [ServerOnRedis, ServerOnRedis];
  return { one, other, servers, ask: await asking(redis.url) };
}

/** Customers' pages that write and read at both servers until they are told to stop. */
function traffic(session: OpenSession, servers: readonly ServerOnRedis[]) {
  const statuses: number[] = [];
  let over = false;
  const pages = servers.flatMap((server) =>
    [1, 2].map(async () => {
      while (!over) {
        statuses.push((await server.say(session, 'How long does delivery take?')).status);
        const { status } = await server.request('GET', `/api/sessions/${session.id}`, session);
        statuses.push(status);
      }
    }),
  );
  return {
    statuses,
    end: async () => {
      over = true;
      await Promise.all(pages);
    },
  };
}

async function expectShutOut(servers: readonly ServerOnRedis[], { id, token }: OpenSession) {
  for (const server of servers) {
    for (const [method, path, body] of routes) {
      const answer = await server.request(method, `/api/sessions/${id}${path}`, {
        token,
        ...(body && { body }),
      });
      expect(answer, `${method} ${path}`).toMatchObject({
        status: 401,
        body: { code: 'INVALID_TOKEN' },
      });
    }
  }
}

it('a session that is ended at one server is gone at all at once, and stays so, whatever runs', async () => {
  const { one, other, servers, ask } = await twoServers();
  const session = await one.open();
  const path = `/api/sessions/${session.id}`;
  const { statuses, end } = traffic(session, servers);
  await expect.poll(() => statuses.length, { timeout: 60_000 }).toBeGreaterThan(20);
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect((await one.request('DELETE', path, session)).status).toBe(204);
  await expectShutOut(servers, session);
  await end();
  // What was under way when it ended was answered, or refused; nothing of it has brought it back.
  expect([...new Set(statuses)].filter((status) => ![200, 401, 404, 410].includes(status))).toEqual(
    [],
  );
  for (const server of [one, other]) {
    expect((await server.request('GET', path, { token: operatorKey })).status).toBe(404);
  }
  expect(await ask('KEYS', '*:[sm]:*')).toEqual([]);
});

it('a token that is replaced at one server is worthless at all at once, and the new one is good', async () => {
  const { one, servers } = await twoServers();
  const session = await one.open();
  const path = `/api/sessions/${session.id}`;
  const { statuses, end } = traffic(session, servers);
  await expect.poll(() => statuses.length, { timeout: 60_000 }).toBeGreaterThan(20);
  const { status, body } = await one.request('POST', `${path}/token`, session);
  expect(status).toBe(200);
  await expectShutOut(servers, session);
  await end();
  for (const server of servers) {
    const token = String(body.token);
    expect((await server.request('GET', path, { token })).status).toBe(200);
    expect((await server.say({ id: session.id, token }, 'Hello')).status).toBe(200);
  }
});
