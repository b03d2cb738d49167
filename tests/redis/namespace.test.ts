import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ConfigError } from '../../packages/holdfast/src/lib/errors/errors.ts';
import { RedisSessionStore } from '../../packages/holdfast/src/lib/redis/redis-session-store.ts';
import { redisForTests } from '../servers/redis-for-tests.ts';
import type { RedisAddress } from '../servers/redis-server.ts';
import { rejection } from './connection/fixtures.ts';
import { SharedNamespace } from './support/shared-namespace.ts';

describe('a namespace', () => {
  let redis: RedisAddress;
  beforeAll(async () => {
    redis = await redisForTests();
  });
  afterAll(() => redis.stop());

  it.each([
    ['older', '0'],
    ['newer', '2'],
  ])('of an %s format is refused in one sentence, and left as it is', async (_, format) => {
    const place = new SharedNamespace(redis.url);
    const ask = await place.asking();
    await ask('HSET', place.keys.namespace, 'format', format, 'buckets', '8');
    onTestFinished(async () => {
      await ask('DEL', place.keys.namespace);
    });
    const error = await rejection(place.instance());
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain(
      `The keys behind the prefix "${place.keyPrefix}" have format ${format}, which this version cannot read. Use another REDIS_SESSION_KEY_PREFIX, or the version that wrote them.`,
    );
    expect(await ask('HGETALL', place.keys.namespace)).toEqual(['format', format, 'buckets', '8']);
  });

  it('keeps the number of buckets that it began with, whatever a later instance asks for', async () => {
    const place = new SharedNamespace(redis.url);
    const { store } = await place.instance();
    await store.create('s');
    const url = redis.url;
    const later = await RedisSessionStore.connect({ url, keyPrefix: place.keyPrefix, buckets: 16 });
    onTestFinished(() => later.close());
    expect(await later.get('s')).not.toBeNull();
  });
});
