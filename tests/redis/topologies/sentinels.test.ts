import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { connectNodeRedis } from '../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import { RedisLink } from '../../../packages/holdfast/src/lib/redis/connection/link/redis-link.ts';
import { RedisAddress } from '../../../packages/holdfast/src/lib/redis/connection/redis-address.ts';
import {
  type ConnectRedis,
  RedisTimeoutError,
} from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { topologyOf } from '../../../packages/holdfast/src/lib/redis/connection/routes/topology.ts';
import { SentinelSetup } from '../../servers/redis-sentinel.ts';
import { echo, linkOptions, openedLink, rejection } from '../connection/fixtures.ts';

describe('with sentinels', () => {
  let setup: SentinelSetup;
  beforeAll(async () => {
    setup = await SentinelSetup.start({ replicas: 0, downAfterMs: 60_000 });
  });
  afterAll(() => setup.stop());

  const address = new RedisAddress({ url: 'redis://primary' });
  const topology = (master: string) =>
    topologyOf({ sentinel: { nodes: setup.addresses, master } }, address);

  it('a start waits for sentinels that do not answer at once', async () => {
    let silent = 5;
    const connect: ConnectRedis = (to, purpose, signal) => {
      if (purpose !== 'discovery' || silent-- <= 0) return connectNodeRedis(to, purpose, signal);
      return Promise.reject(new RedisTimeoutError('No answer.'));
    };
    const options = { address, topology: topology(setup.master), connect };
    const { link } = await openedLink('redis://primary', options);
    expect(await link.call(echo, [], ['x'])).toEqual([Buffer.from('x')]);
    expect(silent).toBeLessThanOrEqual(0);
  });

  it('a start does not wait where they know no primary of that name', async () => {
    const options = linkOptions('redis://primary', { address, topology: topology('another') });
    const error = await rejection(RedisLink.open(options));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain('REDIS_SENTINEL_MASTER');
  });
});
