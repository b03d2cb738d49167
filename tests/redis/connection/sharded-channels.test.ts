import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectNodeRedis } from '../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import { RedisAddress } from '../../../packages/holdfast/src/lib/redis/connection/redis-address.ts';
import { ConnectionLostError } from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { ask } from '../../servers/ask.ts';
import { rejection, startedRedis } from './fixtures.ts';

/** Two channels, each of a slot of its own. */
const [leaving, staying] = ['{a}news', '{b}news'];

/** A cluster of one, and a connection to it that is subscribed to both. */
async function subscribed() {
  const redis = await startedRedis({ args: ['--cluster-enabled', 'yes'] });
  await ask(redis.port, 'CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  const slot = String(await ask(redis.port, 'CLUSTER', 'KEYSLOT', leaving));
  const address = new RedisAddress({ url: redis.url });
  const signal = AbortSignal.timeout(60_000);
  const connection = await connectNodeRedis(address, 'subscriptions', signal);
  onTestFinished(() => connection.destroy());
  const moved: string[] = [];
  connection.onMoved = (channel) => moved.push(channel);
  const heard: string[] = [];
  connection.onMessage = (channel) => heard.push(channel);
  await connection.subscribe(leaving, 'sharded');
  await connection.subscribe(staying, 'sharded');
  return { redis, slot, connection, moved, heard };
}

it('however many channels are subscribed to at once, the server is asked once what it knows', async () => {
  const { redis, connection } = await subscribed();
  await ask(redis.port, 'CONFIG', 'RESETSTAT');
  const channels = Array.from({ length: 200 }, (_, at) => `{${at}}news`);
  await Promise.all(channels.map((channel) => connection.subscribe(channel, 'sharded')));
  const stats = String(await ask(redis.port, 'INFO', 'commandstats'));
  expect(/^cmdstat_ssubscribe:calls=(\d+)/m.exec(stats)?.[1]).toBe('200');
  expect(/^cmdstat_client\|info:calls=(\d+)/m.exec(stats)?.[1]).toBe('1');
});

it.each([
  ['subscribe', '{c}news'],
  ['unsubscribe', staying],
] as const)(
  '%s does not wait for ever for its turn on a connection that ends',
  async (what, channel) => {
    const { connection } = await subscribed();
    const before = connection.send(['PING']).catch((error: unknown) => error);
    // That has been sent: what comes from now on goes when it is answered.
    await setImmediate();
    const waiting = rejection(connection[what](channel, 'sharded'));
    connection.destroy();
    expect(connection.explain(await waiting)).toBeInstanceOf(ConnectionLostError);
    await before;
  },
);

describe('a slot leaves its server', () => {
  it('is told of, and the other channels stay', async () => {
    const { redis, slot, connection, moved, heard } = await subscribed();
    await ask(redis.port, 'CLUSTER', 'DELSLOTS', slot);
    await expect.poll(() => moved, { timeout: 60_000 }).toEqual([leaving]);
    await connection.send(['PING']);
    await ask(redis.port, 'SPUBLISH', staying, 'news');
    await expect.poll(() => heard, { timeout: 60_000 }).toEqual([staying]);
  });

  it('ends the connection when a command waits, for whose reply it is taken', async () => {
    const { slot, connection } = await subscribed();
    // The server tells of it before it answers this.
    await connection.send(['CLUSTER', 'DELSLOTS', slot]).catch(() => {});
    expect((await connection.closed).message).toMatch(/subscription/);
  });
});
