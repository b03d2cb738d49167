import { writeFileSync } from 'node:fs';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { createSessionStore, loadConfig } from 'holdfast';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { RawClient } from '../servers/raw-client.ts';
import { startRedis } from '../servers/redis-server.ts';

it('opens a store on Redis as the settings say', async () => {
  await using redis = await startRedis({ args: ['--requirepass', 'hunter2'] });
  const passwordFile = join(temporaryFolder(), 'password');
  writeFileSync(passwordFile, 'hunter2\n');
  const env = {
    SESSION_STORE_TYPE: 'redis',
    REDIS_URL: `${redis.url}/3`,
    REDIS_PASSWORD_FILE: passwordFile,
    REDIS_SESSION_KEY_PREFIX: 'shop:',
    REDIS_SESSION_TTL_SECONDS: '90',
    SESSION_TIMEOUT_MINUTES: '30',
    SESSION_MAX_MESSAGES: '1',
    SESSION_MAX_SESSIONS: '1',
  };
  const warnings: string[] = [];
  const logger = {
    debug() {},
    info() {},
    error() {},
    warn: (_: object, message: string) => warnings.push(message),
  };
  const store = await createSessionStore(loadConfig({ env, envFile: devNull }), { logger });
  onTestFinished(() => store.close());
  expect([store.type, store.locking]).toEqual(['redis', true]);
  expect(warnings[0]).toMatch(/^REDIS_SESSION_TTL_SECONDS and SESSION_TIMEOUT_MINUTES differ/);

  const { createdAt, expiresAt } = await store.create('a');
  expect(expiresAt - createdAt).toBe(90_000);
  const messages = ['one', 'two'].map((content) => ({ role: 'user' as const, content }));
  await store.appendMessages('a', messages);
  expect((await store.messages('a')).map(({ content }) => content)).toEqual(['two']);
  // The cap of sessions is for those in memory.
  await store.create('b');
  expect(await store.countActive()).toBe(2);

  const raw = await RawClient.connect(redis.port);
  expect(await raw.send('AUTH', 'hunter2')).toBe('+OK');
  expect(await raw.send('SELECT', '3')).toBe('+OK');
  expect(await raw.send('RANDOMKEY')).toMatch(/^shop:/);
});
