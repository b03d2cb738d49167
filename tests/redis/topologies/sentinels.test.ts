import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ConfigError } from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { connectNodeRedis } from '../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import { RedisLink } from '../../../packages/holdfast/src/lib/redis/connection/link/redis-link.ts';
import { RedisAddress } from '../../../packages/holdfast/src/lib/redis/connection/redis-address.ts';
import {
  type ConnectRedis,
  RedisReplyError,
  RedisTimeoutError,
} from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { topologyOf } from '../../../packages/holdfast/src/lib/redis/connection/routes/topology.ts';
import { ask } from '../../servers/ask.ts';
import { SentinelSetup } from '../../servers/redis-sentinel.ts';
import { startRedis } from '../../servers/redis-server.ts';
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

describe('a start where no server of a list lets anybody in names the setting that has the list', () => {
  const address = new RedisAddress({ url: 'redis://primary' });
  const nodes = ['127.0.0.1:9', '127.0.0.2:9'];
  const lists = {
    REDIS_SENTINEL_NODES: topologyOf({ sentinel: { nodes, master: 'sessions' } }, address),
    REDIS_CLUSTER_NODES: topologyOf({ cluster: { nodes } }, address),
  };

  it.each(Object.entries(lists))('%s', async (setting, topology) => {
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const connect: ConnectRedis = () => Promise.reject(refused);
    const options = linkOptions('redis://primary', { address, topology, connect });
    const error = await rejection(RedisLink.open({ ...options, connectTimeoutMs: 500 }));
    expect(error.message).toMatch(/cannot be found: 127\.0\.0\.1:9 refused the connection\./);
    expect(error.message).toContain(`or correct ${setting}.`);
    expect(error.message).not.toContain('REDIS_URL');
  });

  it.each(['NOAUTH Authentication required.', 'WRONGPASS invalid username-password pair'])(
    'REDIS_SENTINEL_PASSWORD (%s)',
    async (reply) => {
      const topology = lists.REDIS_SENTINEL_NODES;
      const connect: ConnectRedis = () => Promise.reject(new RedisReplyError(reply));
      const options = linkOptions('redis://primary', { address, topology, connect });
      const error = await rejection(RedisLink.open(options));
      expect(error).toBeInstanceOf(ConfigError);
      expect(error.message).toMatch(/127\.0\.0\.1:9 .*: set REDIS_SENTINEL_PASSWORD/);
    },
  );
});

it('a switch is followed when a sentinel tells of it, though the old primary goes on taking writes', async () => {
  await using setup = await SentinelSetup.start({
    replicas: 1,
    downAfterMs: 60_000,
    // The sentinels cannot make it a replica.
    startPrimary: (options) =>
      startRedis({
        ...options,
        args: [...(options.args ?? []), '--rename-command', 'SLAVEOF', 'x'],
      }),
  });
  // Nobody asks from time to time.
  vi.useFakeTimers({ toFake: ['setInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const address = new RedisAddress({ url: 'redis://primary' });
  const sentinel = { nodes: setup.addresses, master: setup.master };
  const { link } = await openedLink('redis://primary', {
    address,
    topology: topologyOf({ sentinel }, address),
  });
  const [old, next] = setup.nodes;
  await ask(setup.addresses[0] ?? '', 'SENTINEL', 'FAILOVER', setup.master);
  const isThere = async () => {
    await link.command(['SET', 'written', 'x'], 'a nonce');
    return (await ask(next?.port ?? 0, 'EXISTS', 'written')) === 1;
  };
  // `vi.waitUntil` would let the faked time go on.
  const isPromoted = async () => String(await ask(next?.port ?? 0, 'ROLE')).startsWith('master');
  while (!(await isPromoted())) await sleep(20);
  // What the old one takes does not come to the new one any more.
  while (!(await isThere())) await sleep(20);
  expect(String(await ask(old?.port ?? 0, 'ROLE'))).toMatch(/^master/);
});
