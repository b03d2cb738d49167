import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  ConfigError,
  StoreUnavailableError,
} from '../../../packages/holdfast/src/lib/errors/errors.ts';
import {
  RedisLink,
  type RedisLinkOptions,
} from '../../../packages/holdfast/src/lib/redis/connection/link/redis-link.ts';
import {
  RedisAddress,
  type RedisAddressOptions,
} from '../../../packages/holdfast/src/lib/redis/connection/redis-address.ts';
import { RedisSessionStore } from '../../../packages/holdfast/src/lib/redis/redis-session-store.ts';
import { fakeRedis, usual } from './fake-redis.ts';
import { echo, linkOptions, openedLink, rejection, startedRedis } from './fixtures.ts';
import { muteServer } from './mute-server.ts';

/** What a failed start says and logs. */
async function failedStart(
  address: string | RedisAddressOptions,
  overrides?: Partial<RedisLinkOptions>,
): Promise<{ error: Error; logged: string[]; everything: string }> {
  const options = linkOptions(address, overrides);
  const error = await rejection(RedisLink.open(options));
  const { lines } = options.logger;
  expect(lines.map(({ level }) => level)).toEqual(['error']);
  expect(lines[0]?.details).toMatchObject({ address: options.address.display });
  const everything = inspect({ error, lines }, { depth: 10 });
  return { error, logged: lines.map(({ message }) => message), everything };
}

async function closedPort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('RedisLink.open', () => {
  it('says that the connection was refused', async () => {
    const url = `redis://:hunter2@127.0.0.1:${await closedPort()}`;
    const { error, logged, everything } = await failedStart(url);
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(error.message).toMatch(
      /^Redis at redis:\/\/127\.0\.0\.1:\d+\/0 refused the connection\. Start it/,
    );
    expect(logged).toEqual(['Redis ping failed: Connection refused']);
    expect(everything).not.toContain('hunter2');
  });

  it('says so too when a host name has several addresses', async () => {
    const { error, logged } = await failedStart(`redis://localhost:${await closedPort()}`);
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(logged).toEqual(['Redis ping failed: Connection refused']);
  });

  it('says that the host is unknown', async () => {
    const { error, logged } = await failedStart('redis://redis.invalid');
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(error.message).toContain('host name');
    expect(logged).toEqual(['Redis ping failed: Host not found']);
  });

  it('says that what answers is no Redis', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const { error, logged } = await failedStart(`redis://127.0.0.1:${port}`);
    server.close();
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain('answers, but not as a Redis does');
    expect(logged).toEqual(['Redis ping failed: Not a Redis']);
  });

  it('gives up in its time on a server that accepts and never answers', async () => {
    const { port } = await muteServer();
    const start = performance.now();
    const { error, logged } = await failedStart(`redis://127.0.0.1:${port}`, {
      connectTimeoutMs: 500,
    });
    expect(performance.now() - start).toBeLessThan(5000);
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(logged).toEqual(['Redis ping failed: Timed out']);
  });

  it('gives up in its time on a server that answers no more than the handshake', async () => {
    const fake = await fakeRedis((command) => (command === 'SCRIPT' ? undefined : usual(command)));
    const { error, logged } = await failedStart(fake.url, { connectTimeoutMs: 500 });
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(logged).toEqual(['Redis ping failed: Timed out']);
  });

  it('says that the server hangs up', async () => {
    const fake = await fakeRedis((_, __, socket) => {
      socket.destroy();
      return undefined;
    });
    const { error, logged } = await failedStart(fake.url);
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(logged).toEqual(['Redis ping failed: Connection closed']);
  });

  it('calls a wrong or missing password a matter of configuration', async () => {
    const redis = await startedRedis({ args: ['--requirepass', 'the-right-one'] });
    const wrong = await failedStart({ url: redis.url, password: 'hunter2' });
    expect(wrong.error).toBeInstanceOf(ConfigError);
    expect(wrong.error.message).toContain('REDIS_PASSWORD');
    expect(wrong.logged).toEqual(['Redis ping failed: Wrong password']);
    expect(wrong.everything).not.toContain('hunter2');
    const missing = await failedStart(redis.url);
    expect(missing.error).toBeInstanceOf(ConfigError);
    expect(missing.logged).toEqual(['Redis ping failed: Password required']);
    await openedLink({ url: redis.url, password: 'the-right-one' });
  });

  it('calls a user without the needed rights a matter of configuration', async () => {
    const acl = 'app on >hunter2 ~* &* +@all -script';
    const redis = await startedRedis({ args: ['--user', ...acl.split(' ')] });
    const { error, logged, everything } = await failedStart({
      url: redis.url,
      username: 'app',
      password: 'hunter2',
    });
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain('ACL');
    expect(logged).toEqual(['Redis ping failed: Permission denied']);
    expect(everything).not.toContain('hunter2');
  });

  it('calls a database that there is not a matter of configuration', async () => {
    const redis = await startedRedis();
    const { error, logged } = await failedStart(`${redis.url}/4000`);
    expect(error).toBeInstanceOf(ConfigError);
    expect(logged).toEqual(['Redis ping failed: No such database']);
  });

  it('says that the server takes no more connections', async () => {
    const redis = await startedRedis({ args: ['--maxclients', '1'] });
    await openedLink(redis.url);
    const { error, logged } = await failedStart(redis.url);
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(logged).toEqual(['Redis ping failed: Too many connections']);
  });

  it('calls a server without RESP 3 too old', async () => {
    const fake = await fakeRedis(() => "-ERR unknown command 'HELLO'\r\n");
    const { error, logged } = await failedStart(fake.url);
    expect(error).toBeInstanceOf(ConfigError);
    expect(logged).toEqual(['Redis ping failed: Version too old']);
  });

  it('waits for a server that loads its data, in its time', async () => {
    let refusals = 3;
    const loading = '-LOADING Redis is loading the dataset in memory\r\n';
    const fake = await fakeRedis((command) =>
      command === 'SCRIPT' && refusals-- > 0 ? loading : usual(command),
    );
    await openedLink(fake.url, { scripts: [echo] });
    const stuck = await fakeRedis((command) => (command === 'SCRIPT' ? loading : usual(command)));
    const { error, logged } = await failedStart(stuck.url, { connectTimeoutMs: 500 });
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(logged).toEqual(['Redis ping failed: Loading its data']);
  });
});

describe('RedisLink.open, given up', () => {
  const places = (port: number) => [{ host: '127.0.0.1', port }];
  const translate = (place: { host: string; port: number }) => place;

  it.each([
    ['one server', () => undefined],
    [
      'sentinels',
      (port: number) => ({
        ...{ kind: 'sentinel' as const, master: 'main', translate },
        sentinels: [new RedisAddress({ url: `redis://127.0.0.1:${port}` })],
      }),
    ],
    ['a cluster', (port: number) => ({ kind: 'cluster' as const, roots: places(port), translate })],
  ])('ends at once, and without a word, while it waits for %s', async (_, topology) => {
    const { port, accepted } = await muteServer();
    const stopping = new AbortController();
    const options = linkOptions(`redis://127.0.0.1:${port}`, {
      ...{ topology: topology(port), signal: stopping.signal },
      connectTimeoutMs: 600_000,
    });
    const opening = rejection(RedisLink.open(options));
    await expect.poll(() => accepted.length, { timeout: 60_000 }).toBeGreaterThan(0);
    const why = new Error('Enough.');
    const closed = once(accepted[0]?.resume() as Socket, 'close');
    stopping.abort(why);
    expect(await opening).toBe(why);
    await closed;
    expect(options.logger.lines).toEqual([]);
  });

  it('does not begin where that was so before', async () => {
    const { port, accepted } = await muteServer();
    const why = new Error('Enough.');
    const options = linkOptions(`redis://127.0.0.1:${port}`, { signal: AbortSignal.abort(why) });
    expect(await rejection(RedisLink.open(options))).toBe(why);
    expect(accepted).toEqual([]);
  });
});

describe('RedisSessionStore.connect, given up', () => {
  it('ends at once where the server answers the handshake, and no more', async () => {
    const stopping = new AbortController();
    const fake = await fakeRedis((command) => {
      if (command === 'INFO' || command === 'CONFIG' || command === 'HSETNX') {
        stopping.abort(new Error('Enough.'));
        return undefined;
      }
      return usual(command);
    });
    const opening = RedisSessionStore.connect({
      ...{ url: fake.url, signal: stopping.signal },
      ...{ timeoutMs: 600_000, connectTimeoutMs: 600_000 },
    });
    expect((await rejection(opening)).message).toBe('Enough.');
  });
});
