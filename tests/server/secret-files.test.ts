import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { makeTemporaryFolder, removeFolder } from '../helpers/temporary-folder.ts';
import { asking } from '../redis/support/asking.ts';
import { startRedis } from '../servers/redis-server.ts';
import { logOf, ServerOnRedis } from './server-on-redis.ts';

const patience = { timeout: 60_000, interval: 50 };

it('a SIGHUP takes over other keys and passwords from their files, without a restart', async () => {
  const folder = makeTemporaryFolder();
  onTestFinished(() => removeFolder(folder));
  const file = (name: string, content: string) => {
    const path = join(folder, name);
    writeFileSync(path, `${content}\n`);
    return path;
  };
  const redis = await startRedis({ args: ['--requirepass', 'first-password'] });
  onTestFinished(() => redis.stop());
  const [key, token] = ['first-operator-key', 'first-metrics-token'];
  const server = await ServerOnRedis.start(redis.url, {
    // In place of the key that all servers of tests have.
    ADMIN_API_KEY: '',
    ADMIN_API_KEY_FILE: file('key', key),
    METRICS_TOKEN_FILE: file('token', token),
    REDIS_PASSWORD_FILE: file('password', 'first-password'),
    REDIS_SOCKET_CONNECT_TIMEOUT: '60',
  });
  const statusOf = async (path: string, with_: string) => {
    const headers = { authorization: `Bearer ${with_}` };
    return (await fetch(`${server.address}${path}`, { headers })).status;
  };
  const messages = (msg: string) => logOf(server.process).filter((line) => line.msg === msg).length;
  expect(await statusOf('/api/stats', key)).toBe(200);

  // One that is wrong leaves all as it was.
  file('key', 'second-operator-key');
  file('token', 'short');
  server.process.send('SIGHUP');
  await expect.poll(() => messages('the keys stay as they were'), patience).toBe(1);
  expect(await statusOf('/api/stats', key)).toBe(200);
  expect(await statusOf('/api/stats', 'second-operator-key')).toBe(403);

  file('token', 'second-metrics-token');
  file('password', 'second-password');
  server.process.send('SIGHUP');
  await expect.poll(() => messages('keys read again'), patience).toBe(1);
  expect(await statusOf('/api/stats', key)).toBe(403);
  expect(await statusOf('/api/stats', 'second-operator-key')).toBe(200);
  expect(await statusOf('/metrics', 'second-metrics-token')).toBe(200);

  // Its connections end; new ones need the new password.
  const ask = await asking(redis.url.replace('redis://', 'redis://:first-password@'));
  await ask('CONFIG', 'SET', 'requirepass', 'second-password');
  await ask('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await ask('CLIENT', 'KILL', 'TYPE', 'normal');
  await expect
    .poll(async () => (await server.request('POST', '/api/sessions')).status, patience)
    .toBe(201);
  expect(server.process.stdout + server.process.stderr).not.toMatch(
    /second-(operator|metrics|pass)/,
  );
});
