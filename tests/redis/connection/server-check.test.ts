import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { checkServer } from '../../../packages/holdfast/src/lib/redis/connection/link/server-check.ts';
import type { RedisAddressOptions } from '../../../packages/holdfast/src/lib/redis/connection/redis-address.ts';
import { fakeRedis, usual } from './fake-redis.ts';
import { connected, openedLink, RecordingLogger, rejection, startedRedis } from './fixtures.ts';

async function checked(address: string | RedisAddressOptions) {
  const { link } = await openedLink(address);
  const logger = new RecordingLogger();
  return { facts: await checkServer(link, logger), logger };
}

async function refused(address: string): Promise<Error> {
  const { link } = await openedLink(address, { scripts: [] });
  return rejection(checkServer(link, new RecordingLogger()));
}

/** A server that says this of itself. */
async function claiming(facts: Record<string, string>): Promise<string> {
  const words = Object.entries(facts).flat();
  const hello = words.map((word) => `$${word.length}\r\n${word}\r\n`).join('');
  const fake = await fakeRedis((command) =>
    command === 'HELLO' ? `%${words.length / 2}\r\n${hello}` : usual(command),
  );
  return fake.url;
}

describe('checkServer', () => {
  it('is content with a server that keeps all and evicts nothing', async () => {
    const redis = await startedRedis({ persistence: 'aof' });
    const { facts, logger } = await checked(redis.url);
    expect(facts).toMatchObject({
      version: redis.version,
      mode: 'standalone',
      maxmemoryPolicy: 'noeviction',
      persistence: 'aof',
    });
    expect(['redis', 'valkey']).toContain(facts.software);
    expect(logger.lines).toMatchObject([
      { level: 'info', message: 'Redis is ready', details: { address: `${redis.url}/0` } },
    ]);
  });

  it('warns of a server that keeps nothing on disk', async () => {
    const { facts, logger } = await checked((await startedRedis()).url);
    expect(facts.persistence).toBe('none');
    expect(logger.messages('warn')).toEqual([
      expect.stringContaining('restart loses every session'),
    ]);
  });

  it.each([
    ['0', 'once maxmemory is set'],
    ['100mb', 'when its memory is full'],
  ])('warns of an eviction policy with maxmemory %s', async (maxmemory, when) => {
    const args = ['--maxmemory', maxmemory, '--maxmemory-policy', 'allkeys-lru'];
    const redis = await startedRedis({ persistence: 'aof', args });
    const { facts, logger } = await checked(redis.url);
    expect(facts.maxmemoryPolicy).toBe('allkeys-lru');
    expect(logger.messages('warn')).toEqual([expect.stringContaining(when)]);
  });

  it('knows snapshots, alone and beside the log', async () => {
    const redis = await startedRedis({ args: ['--save', '3600 1'] });
    expect((await checked(redis.url)).facts.persistence).toBe('rdb');
    const admin = await connected(redis.url);
    await admin.send(['CONFIG', 'SET', 'appendonly', 'yes']);
    expect((await checked(redis.url)).facts.persistence).toBe('rdb+aof');
  });

  it('does with what a user may ask', async () => {
    const redis = await startedRedis();
    const admin = await connected(redis.url);
    const rules = ['on', '>pass', '~*', '&*', '+@all'];
    await admin.send(['ACL', 'SETUSER', 'noconfig', ...rules, '-config']);
    await admin.send(['ACL', 'SETUSER', 'noinfo', ...rules, '-config', '-info']);
    const asUser = (username: string) => checked({ url: redis.url, username, password: 'pass' });
    const noConfig = await asUser('noconfig');
    expect(noConfig.facts).toMatchObject({ maxmemoryPolicy: 'noeviction', persistence: 'unknown' });
    const noInfo = await asUser('noinfo');
    expect(noInfo.facts).toMatchObject({
      version: redis.version,
      maxmemoryPolicy: undefined,
      persistence: 'unknown',
    });
    expect(noInfo.logger.messages('warn')).toEqual([]);
  });

  it('refuses a replica, and names its primary', async () => {
    const primary = await startedRedis();
    const replica = await startedRedis({ args: ['--replicaof', '127.0.0.1', `${primary.port}`] });
    const error = await refused(replica.url);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain(`its primary, 127.0.0.1:${primary.port}`);
  });

  it('refuses a node of a Cluster', async () => {
    const redis = await startedRedis({ args: ['--cluster-enabled', 'yes'] });
    const error = await refused(redis.url);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain('a node of a Cluster');
  });

  it('refuses a Sentinel, and a version that is too old', async () => {
    const usualFacts = { server: 'redis', version: '7.0.0', mode: 'standalone', role: 'master' };
    const sentinel = await refused(await claiming({ ...usualFacts, mode: 'sentinel' }));
    expect(sentinel).toBeInstanceOf(ConfigError);
    expect(sentinel.message).toContain('is a Sentinel');
    for (const version of ['5.0.14', '6.0.16', '6.1.240']) {
      const error = await refused(await claiming({ ...usualFacts, version }));
      expect(error).toBeInstanceOf(ConfigError);
      expect(error.message).toContain(`is version ${version}`);
    }
    for (const version of ['6.2.0', '7.0.0', '10.0.0']) {
      const url = await claiming({ ...usualFacts, version, server: 'valkey' });
      expect((await checked(url)).facts).toMatchObject({ version, software: 'valkey' });
    }
  });
});
