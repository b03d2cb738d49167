import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RawClient } from './raw-client.ts';
import { redisForTests } from './redis-for-tests.ts';
import { startRedis } from './redis-server.ts';

function setUrl(url: string): void {
  vi.stubEnv('TEST_REDIS_URL', url);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
}

describe('redisForTests', () => {
  it('starts a private server, with the options, and ends it', async () => {
    setUrl('');
    const redis = await redisForTests({ args: ['--maxmemory', '50mb'] });
    const port = Number(new URL(redis.url).port);
    const client = await RawClient.connect(port);
    expect(await client.send('INFO', 'memory')).toContain('maxmemory:52428800\r\n');
    await redis.stop();
    await expect(RawClient.connect(port)).rejects.toThrow('ECONNREFUSED');
  });

  it('gives the server at TEST_REDIS_URL, without power over its process', async () => {
    await using others = await startRedis();
    setUrl(others.url);
    const redis = await redisForTests();
    expect(Object.keys(redis)).toEqual(['url', 'stop']);
    expect(redis.url).toBe(others.url);
    await redis.stop();
    await redis[Symbol.asyncDispose]();
    expect(await (await RawClient.connect(others.port)).send('PING')).toBe('+PONG');
  });

  it('refuses a TEST_REDIS_URL that is none, and does not repeat what may be a password', async () => {
    setUrl('secret@localhost');
    await expect(redisForTests()).rejects.toThrow(
      /^TEST_REDIS_URL is not a redis:\/\/ or rediss:\/\/ URL\.$/,
    );
  });
});
