import { describe, expect, it, vi } from 'vitest';
import { StoreUnavailableError } from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { connectNodeRedis } from '../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import { RawClient } from '../../servers/raw-client.ts';
import { openedLink, rejection, startedRedis } from './fixtures.ts';
import { TcpProxy } from './tcp-proxy.ts';

const patiently = { timeout: 60_000 };

async function started() {
  const redis = await startedRedis();
  const { link, logger } = await openedLink(redis.url);
  const raw = await RawClient.connect(redis.port);
  return { redis, link, logger, raw, subscribers: () => subscribersAt(raw) };
}

/** Connections subscribed to `channel`. */
async function subscribersAt(raw: RawClient): Promise<number> {
  return Number((await raw.send('PUBLISH', 'channel', 'probe')).slice(1));
}

describe('RedisLink.subscribe', () => {
  it('delivers to every listener over one subscription, each until it leaves', async () => {
    const { link, raw, subscribers } = await started();
    const got: string[] = [];
    const shared = (message: Buffer) => got.push(`shared ${message}`);
    const leave = await Promise.all([
      link.subscribe('channel', shared),
      link.subscribe('channel', shared),
      link.subscribe('channel', (message) => got.push(`own ${message}`)),
      link.subscribe('other', (message) => got.push(`other ${message}`)),
    ]);
    expect(await raw.send('PUBLISH', 'channel', 'x')).toBe(':1');
    await vi.waitFor(() => expect(got).toEqual(['shared x', 'shared x', 'own x']), patiently);
    leave[0]();
    leave[0]();
    leave[2]();
    got.length = 0;
    expect(await raw.send('PUBLISH', 'channel', 'y')).toBe(':1');
    expect(await raw.send('PUBLISH', 'other', 'z')).toBe(':1');
    await vi.waitFor(() => expect(got).toEqual(['shared y', 'other z']), patiently);
    leave[1]();
    await vi.waitFor(async () => expect(await subscribers()).toBe(0), patiently);
  });

  it('is subscribed when it is left and taken up again in one go', async () => {
    const { link, subscribers } = await started();
    for (let round = 0; round < 20; round++) {
      const leave = await link.subscribe('channel', () => {});
      leave();
      const again = link.subscribe('channel', () => {});
      (await link.subscribe('channel', () => {}))();
      const stay = await again;
      expect(await subscribers()).toBe(1);
      stay();
      await vi.waitFor(async () => expect(await subscribers()).toBe(0), patiently);
    }
  });

  it('logs a listener that throws, and goes on', async () => {
    const { link, logger, raw } = await started();
    const got: string[] = [];
    await link.subscribe('channel', () => {
      throw new Error('It cannot.');
    });
    await link.subscribe('channel', (message) => got.push(String(message)));
    await raw.send('PUBLISH', 'channel', 'one');
    await raw.send('PUBLISH', 'channel', 'two');
    await vi.waitFor(() => expect(got).toEqual(['one', 'two']), patiently);
    expect(logger.messages('error')).toEqual([
      'A listener to Redis messages failed',
      'A listener to Redis messages failed',
    ]);
  });

  it('is there again after a kill, and tells of the gap when it is', async () => {
    const { link, raw, subscribers } = await started();
    const got: string[] = [];
    let gaps = 0;
    await link.subscribe('channel', (message) => got.push(String(message)));
    const seenAtGap: Promise<number>[] = [];
    link.onGap(() => {
      gaps += 1;
      seenAtGap.push(subscribers());
    });
    const forgotten = link.onGap(() => {
      gaps += 100;
    });
    forgotten();
    expect(gaps).toBe(0);
    await raw.send('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await vi.waitFor(() => expect(gaps).toBe(1), patiently);
    expect(await seenAtGap[0]).toBe(1);
    await vi.waitFor(() => expect(got).toEqual(['probe']), patiently);
  });

  it('is there again after a restart of the server', async () => {
    const { redis, link, logger } = await started();
    const got: string[] = [];
    let gaps = 0;
    link.onGap(() => {
      gaps += 1;
    });
    const leave = await link.subscribe('left', () => {});
    await link.subscribe('channel', (message) => got.push(String(message)));
    await redis.kill('SIGKILL');
    leave();
    const late = link.subscribe('late', (message) => got.push(String(message)));
    await vi.waitFor(() => expect(logger.messages('warn')).toHaveLength(1), patiently);
    await redis.restart();
    await late;
    await vi.waitFor(() => expect(gaps).toBe(1), patiently);
    const raw = await RawClient.connect(redis.port);
    expect(await raw.send('PUBLISH', 'channel', 'a')).toBe(':1');
    expect(await raw.send('PUBLISH', 'late', 'b')).toBe(':1');
    expect(await raw.send('PUBLISH', 'left', 'c')).toBe(':0');
    await vi.waitFor(() => expect(got).toEqual(['a', 'b']), patiently);
    expect(logger.messages('warn')).toEqual(['Redis ping failed: Connection refused']);
    // When both connections are there again, whichever is the later.
    await vi.waitFor(() => {
      expect(logger.messages('info')).toEqual(['Redis answers again']);
    }, patiently);
  });

  it('stays where it is when commands come to the restarted server later', async () => {
    const redis = await startedRedis();
    let commandsMayCome = () => {};
    const coming = new Promise<void>((resolve) => {
      commandsMayCome = resolve;
    });
    let isDown = false;
    const { link } = await openedLink(redis.url, {
      connect: async (address, purpose, signal) => {
        if (isDown && purpose === 'commands') await coming;
        return connectNodeRedis(address, purpose, signal);
      },
    });
    let gaps = 0;
    link.onGap(() => {
      gaps += 1;
    });
    await link.subscribe('channel', () => {});
    isDown = true;
    await redis.kill('SIGKILL');
    await redis.restart();
    await vi.waitFor(() => expect(gaps).toBe(1), patiently);
    const raw = await RawClient.connect(redis.port);
    const client = async () => /id=(\d+)[^\n]* sub=1 /.exec(await raw.send('CLIENT', 'LIST'))?.[1];
    const before = await client();
    expect(before).toBeDefined();
    commandsMayCome();
    await link.command(['GET', 'key']);
    // What would be destroyed has been, and what comes of it.
    expect(await subscribersAt(raw)).toBe(1);
    expect(await client()).toBe(before);
  });

  it('notices a connection that died in silence', async () => {
    const redis = await startedRedis();
    const proxy = await TcpProxy.to(redis.port);
    const { link } = await openedLink(proxy.url, { timeoutMs: 1000 });
    let gaps = 0;
    link.onGap(() => {
      gaps += 1;
    });
    const got: string[] = [];
    await link.subscribe('channel', (message) => got.push(String(message)));
    proxy.freeze();
    await vi.waitFor(() => expect(gaps).toBe(1), patiently);
    // Nothing was asked of the connection for commands, which is as dead, until now.
    await link.command(['PUBLISH', 'channel', 'x']);
    await vi.waitFor(() => expect(got.at(-1)).toBe('x'), patiently);
  });

  it('fails in its time where the server does not confirm, and is gone then', async () => {
    const redis = await startedRedis();
    const { link } = await openedLink(redis.url, { timeoutMs: 1000, connectTimeoutMs: 1000 });
    await link.subscribe('other', () => {});
    await redis.pause();
    const start = performance.now();
    const error = await rejection(link.subscribe('channel', () => {}));
    expect(performance.now() - start).toBeLessThan(5000);
    expect(error).toBeInstanceOf(StoreUnavailableError);
    redis.resume();
    const raw = await RawClient.connect(redis.port);
    await vi.waitFor(async () => expect(await raw.send('PUBLISH', 'other', 'x')).toBe(':1'), {
      ...patiently,
    });
    expect(await subscribersAt(raw)).toBe(0);
  });

  it('reports a channel that the user may not have, and keeps the others', async () => {
    const acl = 'app on >pass ~* &channel +@all';
    const redis = await startedRedis({ args: ['--user', ...acl.split(' ')] });
    const { link } = await openedLink({ url: redis.url, username: 'app', password: 'pass' });
    const got: string[] = [];
    await link.subscribe('channel', (message) => got.push(String(message)));
    const error = await rejection(link.subscribe('forbidden', () => {}));
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(error.cause).toMatchObject({ code: 'NOPERM' });
    const raw = await RawClient.connect(redis.port);
    await raw.send('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await vi.waitFor(async () => expect(await subscribersAt(raw)).toBe(1), patiently);
    await vi.waitFor(() => expect(got.length).toBeGreaterThan(0), patiently);
  });
});
