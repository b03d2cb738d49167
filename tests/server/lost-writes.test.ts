import { generateKey } from 'holdfast/encryption';
import { expect, it, onTestFinished } from 'vitest';
import { connected } from '../redis/connection/fixtures.ts';
import { startRedis } from '../servers/redis-server.ts';
import { logOf, operatorKey, ServerOnRedis } from './server-on-redis.ts';

it('a session that a restarted Redis has an older version of goes on, and is counted and logged', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const server = await ServerOnRedis.start(redis.url, { SESSION_ENCRYPTION_KEY: generateKey() });
  const session = await server.open();
  const lost = async () => {
    const headers = { authorization: `Bearer ${operatorKey}` };
    const metrics = await (await fetch(`${server.address}/metrics`, { headers })).text();
    return Number(/^holdfast_lost_writes_total (\d+)$/m.exec(metrics)?.[1]);
  };
  expect((await server.say(session, 'How long does delivery take?')).status).toBe(200);
  const before = await connected(redis.url);
  const keys = (await before.send(['KEYS', `*${session.id}`])) as Buffer[];
  const dumps = await Promise.all(
    keys.map(async (key) => [key, (await before.send(['DUMP', key])) as Buffer] as const),
  );
  expect((await server.say(session, 'And to islands?')).status).toBe(200);
  expect(await lost()).toBe(0);

  await redis.kill('SIGKILL');
  await redis.restart();
  const after = await connected(redis.url);
  for (const [key, dump] of dumps) await after.send(['RESTORE', key, '0', dump, 'REPLACE']);
  const read = () => server.request('GET', `/api/sessions/${session.id}`, session);
  await expect.poll(async () => (await read()).status, { timeout: 60_000 }).toBe(200);
  expect((await read()).body).toMatchObject({ message_count: 1 });
  expect(await lost()).toBe(1);
  const told = () =>
    logOf(server.process).filter(({ msg }) => msg === 'session lost its last writes');
  // What a process writes comes a moment later.
  await expect
    .poll(told, { timeout: 60_000 })
    .toMatchObject([{ level: 40, sessionId: session.id }]);
  expect((await server.say(session, 'And to islands?')).status).toBe(200);
  expect(await lost()).toBe(1);
});
