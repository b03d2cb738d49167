import { expect, it, onTestFinished } from 'vitest';
import { RedisSessionStore } from '../../packages/holdfast/src/redis.ts';
import { startProcess } from '../helpers/child-process.ts';
import { hasCommands, readmeSection, shellBlock } from '../helpers/readme.ts';
import { findRedisServer } from '../servers/find-redis-server.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';

const page = 'docs/operations.md';
const heading = 'Backups';

it.skipIf(!hasCommands('bash', 'redis-cli'))(
  'the lines of the page on running it bring a backup back to a Redis with an append-only file',
  async () => {
    const redis = await startRedis({ persistence: 'aof' });
    onTestFinished(() => redis.stop());
    const { command } = await findRedisServer();
    const cli = `redis-cli -p ${redis.port}`;

    const [, line = ''] = /^ {4}(redis-cli .*)$/m.exec(readmeSection(heading, page)) ?? [];
    {
      await using store = await RedisSessionStore.connect({ url: redis.url });
      await store.create('kept', { userId: 'user-7' });
      await store.appendMessages('kept', [{ role: 'user', content: 'hello' }]);
      await shell(redis, line.replace('redis-cli', cli));
      await store.delete('kept');
      await store.create('later', {});
    }
    await redis.kill('SIGTERM');

    const lines = shellBlock(
      heading,
      { 'redis-cli': cli, 'redis-server': `${command} --port ${redis.port}` },
      page,
    );
    await shell(redis, `trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n${lines}`);
    await redis.restart();

    await using store = await RedisSessionStore.connect({ url: redis.url });
    expect(await store.get('later')).toBeNull();
    expect(await store.get('kept')).toMatchObject({ userId: 'user-7' });
    expect(await store.messages('kept')).toMatchObject([{ content: 'hello' }]);
  },
);

async function shell({ folder }: RedisServer, script: string): Promise<void> {
  const running = startProcess('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder });
  const ended = await running.exit;
  expect({ ...ended, said: running.stderr }).toMatchObject({ code: 0 });
}
