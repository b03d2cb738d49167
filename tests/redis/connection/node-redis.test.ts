import { once } from 'node:events';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { connectNodeRedis } from '../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import { RedisAddress } from '../../../packages/holdfast/src/lib/redis/connection/redis-address.ts';
import {
  ConnectionLostError,
  RedisReplyError,
} from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { RawClient } from '../../servers/raw-client.ts';
import { fakeRedis, usual } from './fake-redis.ts';
import { connected, rejection, startedRedis } from './fixtures.ts';
import { muteServer } from './mute-server.ts';

const classes = vi.hoisted(() => ({ made: 0 }));

vi.mock('redis', async (original) => {
  const library = await original<{ createClient(): unknown }>();
  const createClient = () => {
    classes.made += 1;
    return library.createClient();
  };
  return { ...library, createClient };
});

describe('connectNodeRedis', () => {
  it('gives replies as numbers, Buffers, nulls and arrays, and takes binary arguments', async () => {
    const connection = await connected((await startedRedis()).url);
    const binary = Buffer.from([0, 255, 13, 10, 128]);
    expect(await connection.send(['SET', 'key', binary])).toEqual(Buffer.from('OK'));
    expect(await connection.send(['GET', 'key'])).toEqual(binary);
    expect(await connection.send(['GET', 'none'])).toBeNull();
    expect(await connection.send(['DBSIZE'])).toBe(1);
    const script = "return {1, 'two', {3, false, {}}, redis.status_reply('four')}";
    expect(await connection.send(['EVAL', script, '0'])).toEqual([
      1,
      Buffer.from('two'),
      [3, null, []],
      Buffer.from('four'),
    ]);
    const info = await connection.send(['INFO', 'server']);
    expect(info).toBeInstanceOf(Buffer);
    expect(String(info)).toMatch(/^# Server\r\n/);
    expect(await connection.send(['CONFIG', 'GET', 'maxmemory'])).toEqual([
      Buffer.from('maxmemory'),
      Buffer.from('0'),
    ]);
  });

  it('explains error replies by their code, without arguments', async () => {
    const connection = await connected((await startedRedis()).url);
    const reply = async (...args: string[]) =>
      connection.explain(await rejection(connection.send(args)));
    const error = await reply('EVALSHA', '0'.repeat(40), '0');
    expect(error).toBeInstanceOf(RedisReplyError);
    expect(error).toMatchObject({ code: 'NOSCRIPT' });
    const unknown = await reply('SESION', 'their secret');
    expect(unknown).toMatchObject({ code: 'ERR' });
    expect(unknown.message).not.toContain('their secret');
    expect(connection.explain(unknown)).toBe(unknown);
  });

  it('makes no class of clients for each server: trying one after the other is cheap', async () => {
    for (let n = 0; n < 3; n++) {
      const { port, accepted } = await muteServer();
      const address = new RedisAddress({ url: `redis://127.0.0.1:${port}` });
      const attempt = new AbortController();
      const connecting = rejection(connectNodeRedis(address, 'commands', attempt.signal));
      await vi.waitFor(() => expect(accepted).toHaveLength(1));
      attempt.abort(new Error('Too late.'));
      await connecting;
    }
    expect(classes.made).toBe(1);
  });

  it('selects the database and names itself', async () => {
    const redis = await startedRedis();
    const connection = await connected(`${redis.url}/3`);
    expect(String(await connection.send(['CLIENT', 'LIST']))).toMatch(
      /name=holdfast-commands .*db=3/,
    );
  });

  it('loses what is in flight when it is killed, and refuses later commands unsent', async () => {
    const redis = await startedRedis();
    const connection = await connected(redis.url);
    await redis.pause();
    const pending = rejection(connection.send(['PING']));
    await redis.kill('SIGKILL');
    const lost = connection.explain(await pending);
    expect(lost).toBeInstanceOf(ConnectionLostError);
    expect(lost).toMatchObject({ sent: true });
    expect(await connection.closed).toBeInstanceOf(Error);
    const late = connection.explain(await rejection(connection.send(['PING'])));
    expect(late).toMatchObject({ name: 'ConnectionLostError', sent: false });
    for (const call of [connection.subscribe('channel'), connection.unsubscribe('channel')]) {
      const refused = connection.explain(await rejection(call));
      expect(refused).toMatchObject({ name: 'ConnectionLostError', sent: false });
    }
  });

  it('is lost with the reason for which it was destroyed', async () => {
    const connection = await connected((await startedRedis()).url);
    const why = new Error('Enough.');
    const pending = rejection(connection.send(['PING']));
    connection.destroy(why);
    connection.destroy();
    expect(connection.explain(await pending)).toMatchObject({ sent: true, cause: why });
    expect(await connection.closed).toBe(why);
  });

  it('ends at a reply that it cannot read: what follows might answer another call', async () => {
    const fake = await fakeRedis((command) => (command === 'PING' ? '?what\r\n' : usual(command)));
    const connection = await connected(fake.url);
    const error = connection.explain(await rejection(connection.send(['PING'])));
    expect(error).toBeInstanceOf(ConnectionLostError);
    expect(await connection.closed).toMatchObject({ message: expect.stringMatching(/RESP type/) });
  });

  it('ends when the server hangs up in the middle of a reply', async () => {
    const fake = await fakeRedis((command, _, socket) => {
      if (command !== 'GET') return usual(command);
      socket.end('$100\r\nhalf');
      return undefined;
    });
    const connection = await connected(fake.url);
    const error = connection.explain(await rejection(connection.send(['GET', 'key'])));
    expect(error).toMatchObject({ name: 'ConnectionLostError', sent: true });
  });

  it('delivers messages as Buffers until it is unsubscribed', async () => {
    const redis = await startedRedis();
    const subscriber = await connected(redis.url, 'subscriptions');
    const got: [string, Buffer][] = [];
    subscriber.onMessage = (channel, message) => got.push([channel, message]);
    await subscriber.subscribe('a');
    await subscriber.subscribe('b');
    const publisher = await connected(redis.url);
    const binary = Buffer.from([0, 200, 10]);
    expect(await publisher.send(['PUBLISH', 'a', binary])).toBe(1);
    expect(await publisher.send(['PUBLISH', 'b', 'text'])).toBe(1);
    await vi.waitFor(() => expect(got).toHaveLength(2));
    expect(got).toEqual([
      ['a', binary],
      ['b', Buffer.from('text')],
    ]);
    await subscriber.unsubscribe('a');
    expect(await publisher.send(['PUBLISH', 'a', 'x'])).toBe(0);
    expect(await subscriber.send(['PING'])).toEqual(Buffer.from('PONG'));
  });

  it('gives up on a server that accepts and never answers, when the signal says so', async () => {
    const { port, accepted } = await muteServer();
    const address = new RedisAddress({ url: `redis://127.0.0.1:${port}` });
    const attempt = new AbortController();
    const connecting = rejection(connectNodeRedis(address, 'commands', attempt.signal));
    await vi.waitFor(() => expect(accepted).toHaveLength(1));
    const why = new Error('Too late.');
    attempt.abort(why);
    expect(await connecting).toBe(why);
    // Its end is closed: nothing of the attempt is left.
    const [socket] = accepted;
    if (socket !== undefined && !socket.closed) await once(socket.resume(), 'close');
  });

  it('gives up in the middle of a TLS handshake too', async () => {
    const { port, accepted } = await muteServer();
    const address = new RedisAddress({ url: `rediss://127.0.0.1:${port}` });
    const attempt = new AbortController();
    const connecting = rejection(connectNodeRedis(address, 'commands', attempt.signal));
    await vi.waitFor(() => expect(accepted).toHaveLength(1));
    const why = new Error('Too late.');
    attempt.abort(why);
    expect(await connecting).toBe(why);
    const [socket] = accepted;
    if (socket !== undefined && !socket.closed) await once(socket.resume(), 'close');
  });

  it('makes no AbortSignal for a command', async () => {
    const connection = await connected((await startedRedis()).url);
    const timeout = vi.spyOn(AbortSignal, 'timeout');
    onTestFinished(() => timeout.mockRestore());
    await connection.send(['PING']);
    expect(timeout).not.toHaveBeenCalled();
  });

  it('gives up before it began when the signal has aborted', async () => {
    const address = new RedisAddress({ url: 'redis://127.0.0.1:1' });
    const why = new Error('Never mind.');
    const attempt = connectNodeRedis(address, 'commands', AbortSignal.abort(why));
    expect(await rejection(attempt)).toBe(why);
  });

  it('does not mind the signal once it is connected', async () => {
    const redis = await startedRedis();
    const attempt = new AbortController();
    const address = new RedisAddress({ url: redis.url });
    const connection = await connectNodeRedis(address, 'commands', attempt.signal);
    onTestFinished(() => connection.destroy());
    attempt.abort();
    expect(await connection.send(['PING'])).toEqual(Buffer.from('PONG'));
  });

  it('authenticates by password, and by user and password', async () => {
    const redis = await startedRedis({ args: ['--requirepass', 'p@ss/word'] });
    const connection = await connected({ url: redis.url, password: 'p@ss/word' });
    await connection.send(['ACL', 'SETUSER', 'app', 'on', '>other', '~*', '&*', '+@all']);
    const url = redis.url.replace('redis://', 'redis://app:other@');
    const asUser = await connected(url);
    expect(String(await asUser.send(['ACL', 'WHOAMI']))).toBe('app');
    const raw = await RawClient.connect(redis.port);
    expect(await raw.send('PING')).toMatch(/^-NOAUTH/);
  });
});
