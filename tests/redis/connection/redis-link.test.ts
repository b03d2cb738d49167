import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it, vi } from 'vitest';
import {
  OutcomeUnknownError,
  StoreUnavailableError,
} from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { connectNodeRedis } from '../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import { RedisLink } from '../../../packages/holdfast/src/lib/redis/connection/link/redis-link.ts';
import {
  type ConnectRedis,
  RedisReplyError,
} from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { defineScript } from '../../../packages/holdfast/src/lib/redis/connection/script.ts';
import { RawClient } from '../../servers/raw-client.ts';
import { fakeRedis, usual } from './fake-redis.ts';
import { addOnce, echo, linkOptions, openedLink, rejection, startedRedis } from './fixtures.ts';
import { TcpProxy } from './tcp-proxy.ts';

/** A link that fails soon; a test asserts no more than that it does not take ages. */
const quick = { timeoutMs: 1000, connectTimeoutMs: 1000 };

async function timed<Value>(run: () => Promise<Value>): Promise<[Value, number]> {
  const start = performance.now();
  return [await run(), performance.now() - start];
}

describe('RedisLink', () => {
  it('gives each of many concurrent calls its own reply', async () => {
    const { link } = await openedLink((await startedRedis()).url);
    const calls = Array.from({ length: 1000 }, (_, at) => link.call(echo, ['k'], [`${at}`, 'x']));
    const replies = await Promise.all(calls);
    expect(replies).toEqual(calls.map((_, at) => [Buffer.from(`${at}`), Buffer.from('x')]));
    expect(await link.command(['ECHO', 'plain'])).toEqual(Buffer.from('plain'));
  });

  it('reports a script error by its name, with the reply as cause and no argument', async () => {
    const broken = defineScript('broken', "return redis.call('LPUSH', KEYS[1], ARGV[1])");
    const raising = defineScript('raising', "error('it does')");
    const { link } = await openedLink((await startedRedis()).url, { scripts: [broken, raising] });
    await link.command(['SET', 'their-key', 'x']);
    const wrongType = await rejection(link.call(broken, ['their-key'], ['their-value'], 'nonce'));
    expect(wrongType).toBeInstanceOf(StoreUnavailableError);
    expect(wrongType.cause).toBeInstanceOf(RedisReplyError);
    expect(wrongType.cause).toMatchObject({ code: 'WRONGTYPE' });
    expect(wrongType.message).toContain('(broken)');
    expect(`${wrongType.message} ${wrongType.cause}`).not.toMatch(/their-/);
    const raised = await rejection(link.call(raising, [], []));
    expect(raised).toBeInstanceOf(StoreUnavailableError);
    expect(String(raised.cause)).toContain('it does');
  });

  it('loads flushed scripts once, for all the calls that miss them', async () => {
    const redis = await startedRedis();
    const { link } = await openedLink(redis.url);
    const raw = await RawClient.connect(redis.port);
    await raw.send('SCRIPT', 'FLUSH');
    await raw.send('CONFIG', 'RESETSTAT');
    const report = { repeated: false };
    const calls = Array.from({ length: 1000 }, (_, at) =>
      link.call(addOnce, ['sum'], [`n${at}`], `n${at}`, report),
    );
    const sums = await Promise.all(calls);
    expect([...sums].sort((a, b) => Number(a) - Number(b))).toEqual(sums.map((_, at) => at + 1));
    const stats = await raw.send('INFO', 'commandstats');
    expect(stats).toMatch(/cmdstat_script(\|load)?:calls=2,/);
    expect(stats).not.toMatch(/cmdstat_eval:/);
    // Nothing of what was refused had run.
    expect(report.repeated).toBe(false);
  });

  it('repeats a call whose reply was lost, and says so', async () => {
    const redis = await startedRedis();
    const proxy = await TcpProxy.to(redis.port);
    const { link, logger } = await openedLink(proxy.url);
    expect(await link.call(addOnce, ['sum'], ['one'], 'one')).toBe(1);
    proxy.loseNextReply();
    const report = { repeated: false };
    expect(await link.call(addOnce, ['sum'], ['two'], 'two', report)).toBe(2);
    expect(report.repeated).toBe(true);
    expect(await link.command(['HGET', 'sum', 'sum'])).toEqual(Buffer.from('2'));
    // A blip is no outage.
    expect(logger.messages('warn')).toEqual([]);
    expect(logger.messages('info')).toEqual([
      'Redis connection was lost (Connection closed) and is back',
    ]);
  });

  it('repeats at most as often as it may', async () => {
    let asked = 0;
    const fake = await fakeRedis((command, _, socket) => {
      if (command !== 'EVALSHA') return usual(command);
      asked += 1;
      socket.destroy();
      return undefined;
    });
    const { link } = await openedLink(fake.url, { retries: 2 });
    const error = await rejection(link.call(echo, [], [], 'nonce'));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error).toMatchObject({ nonce: 'nonce' });
    expect(asked).toBe(3);
    expect(await rejection(link.call(echo, [], []))).toBeInstanceOf(StoreUnavailableError);
    expect(asked).toBe(6);
  });

  it('takes no reply that it cannot read for an answer', async () => {
    let asked = 0;
    const fake = await fakeRedis((command) => {
      if (command !== 'EVALSHA') return usual(command);
      asked += 1;
      return asked === 1 ? '?what\r\n' : ':7\r\n';
    });
    const { link } = await openedLink(fake.url);
    expect(await link.call(echo, [], [])).toBe(7);
  });

  it('fails in its time when the server stops, says what is known, and recovers', async () => {
    const redis = await startedRedis();
    const { link, logger } = await openedLink(redis.url, quick);
    await redis.pause();
    const [errors, took] = await timed(() =>
      Promise.all([
        rejection(link.call(addOnce, ['sum'], ['n'], 'n')),
        rejection(link.call(echo, [], ['secret'])),
      ]),
    );
    const [write, read] = errors;
    expect(took).toBeLessThan(5000);
    expect(write).toBeInstanceOf(OutcomeUnknownError);
    expect(write).toMatchObject({ nonce: 'n' });
    expect(read).toBeInstanceOf(StoreUnavailableError);
    expect(read.message).toContain(`Redis at ${redis.url}/0 (echo) did not answer in time.`);
    expect(read.message).not.toContain('secret');
    // No longer sent at all: there is no connection.
    const unsent = await rejection(link.call(addOnce, ['sum'], ['m'], 'm'));
    expect(unsent).toBeInstanceOf(StoreUnavailableError);
    redis.resume();
    await vi.waitFor(() => link.call(addOnce, ['sum'], ['n'], 'n'), { timeout: 60_000 });
    // The write of before had its effect at most once, the unsent one none.
    expect(await link.command(['HGET', 'sum', 'sum'])).toEqual(Buffer.from('1'));
    expect(logger.messages('warn')).toEqual(['Redis ping failed: Timed out']);
    expect(logger.messages('info')).toEqual(['Redis answers again']);
  });

  it('fails in its time whatever the retries', async () => {
    for (const retries of [0, 10]) {
      const redis = await startedRedis();
      const { link } = await openedLink(redis.url, { ...quick, retries });
      await redis.pause();
      const [, took] = await timed(() => rejection(link.call(echo, [], [])));
      expect(took).toBeLessThan(5000);
    }
  });

  it('is patient with a reply that takes its time', async () => {
    const redis = await startedRedis();
    const { link, logger } = await openedLink(redis.url, { timeoutMs: 20_000, retries: 0 });
    const raw = await RawClient.connect(redis.port);
    await raw.send('CLIENT', 'PAUSE', '1500');
    const report = { repeated: false };
    expect(await link.call(echo, [], ['x'], 'n', report)).toEqual([Buffer.from('x')]);
    expect(report.repeated).toBe(false);
    expect(logger.lines).toEqual([]);
  });

  it('does not take its own standstill for that of the server', async () => {
    const { link, logger } = await openedLink((await startedRedis()).url, {
      ...quick,
      timeoutMs: 300,
      retries: 0,
    });
    const call = link.call(echo, [], ['x']);
    // Written by now; the reply comes while this process is deaf.
    await new Promise((resolve) => setImmediate(resolve));
    const until = performance.now() + 1000;
    while (performance.now() < until);
    expect(await call).toEqual([Buffer.from('x')]);
    expect(logger.lines).toEqual([]);
  });

  it('waits for a server that is being restarted, and loads the scripts into it', async () => {
    const redis = await startedRedis();
    const { link, logger } = await openedLink(redis.url);
    await redis.kill('SIGKILL');
    const calls = [link.call(echo, [], ['a']), link.command(['ECHO', 'b'])];
    await vi.waitFor(() => expect(logger.messages('warn')).toHaveLength(1));
    await redis.restart();
    expect(await Promise.all(calls)).toEqual([[Buffer.from('a')], Buffer.from('b')]);
    expect(logger.lines[0]).toMatchObject({
      level: 'warn',
      message: 'Redis ping failed: Connection refused',
      details: { address: `${redis.url}/0` },
    });
    expect(logger.messages('info')).toEqual(['Redis answers again']);
    expect(logger.lines).toHaveLength(2);
  });

  it('says that nothing was written when there was no server to write to', async () => {
    const redis = await startedRedis();
    const { link } = await openedLink(redis.url, quick);
    await redis.kill('SIGKILL');
    await rejection(link.command(['PING']));
    const [error, took] = await timed(() => rejection(link.call(addOnce, ['k'], ['n'], 'n')));
    expect(took).toBeLessThan(5000);
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(error.message).toContain('refused the connection');
    expect(error.cause).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('lets a bounded number of calls wait for a connection', async () => {
    const redis = await startedRedis();
    const { link } = await openedLink(redis.url);
    await redis.kill('SIGKILL');
    // Ends when the link has noticed: an unsent call waits.
    await vi.waitFor(async () => {
      const first = link.command(['PING']);
      first.catch(() => {});
      expect(await Promise.race([first.catch(() => 'failed'), 'waits'])).toBe('waits');
    });
    const waiting = Array.from({ length: 10_000 }, () => link.command(['ECHO', 'x']));
    for (const call of waiting) call.catch(() => {});
    const refused = await rejection(link.command(['ECHO', 'one too many']));
    expect(refused).toBeInstanceOf(StoreUnavailableError);
    expect(String(refused.cause)).toContain('10000 calls wait');
    await link.close();
    const outcomes = await Promise.allSettled(waiting);
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
  });

  it.each(['LOADING', 'BUSY', 'MASTERDOWN', 'READONLY', 'CLUSTERDOWN'])(
    'waits out %s',
    async (code) => {
      let refusals = 3;
      const fake = await fakeRedis((command) => {
        if (command !== 'EVALSHA') return usual(command);
        return refusals-- > 0 ? `-${code} for now\r\n` : ':5\r\n';
      });
      const { link } = await openedLink(fake.url, { retries: 0 });
      expect(await link.call(echo, [], [], 'nonce')).toBe(5);
      expect(fake.commands.filter((command) => command === 'EVALSHA')).toHaveLength(4);
    },
  );

  it('waits in great numbers, and ends at once when it is closed', async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on('warning', listen);
    const fake = await fakeRedis((command) =>
      command === 'EVALSHA' ? '-LOADING for ever\r\n' : usual(command),
    );
    const { link } = await openedLink(fake.url);
    const calls = Array.from({ length: 100 }, () => rejection(link.call(echo, [], [], 'nonce')));
    await vi.waitFor(() => {
      const asked = fake.commands.filter((command) => command === 'EVALSHA');
      expect(asked.length).toBeGreaterThan(500);
    }, 60_000);
    let ended = 0;
    for (const call of calls) call.then(() => ended++);
    await link.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toBe(100);
    for (const error of await Promise.all(calls)) {
      expect(error.message).toMatch(/^The session store was closed\./);
    }
    process.off('warning', listen);
    expect(warnings).toEqual([]);
  });

  it('does not wait longer than its time, and knows that nothing was written', async () => {
    const fake = await fakeRedis((command) =>
      command === 'EVALSHA' ? '-BUSY Redis is busy running a script.\r\n' : usual(command),
    );
    const { link } = await openedLink(fake.url, { timeoutMs: 200 });
    const error = await rejection(link.call(echo, [], [], 'nonce'));
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(error.message).toContain('busy with a long-running script');
  });

  it('says unknown once a reply was lost, whatever refuses the repetition', async () => {
    let asked = 0;
    const fake = await fakeRedis((command, _, socket) => {
      if (command !== 'EVALSHA') return usual(command);
      asked += 1;
      if (asked === 1) socket.destroy();
      return '-OOM command not allowed\r\n';
    });
    const { link } = await openedLink(fake.url);
    const error = await rejection(link.call(echo, [], [], 'nonce'));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error.cause).toMatchObject({ code: 'OOM' });
  });

  it('gives up on a server that forgets its scripts at once', async () => {
    const fake = await fakeRedis((command) =>
      command === 'EVALSHA' ? '-NOSCRIPT No matching script.\r\n' : usual(command),
    );
    const { link } = await openedLink(fake.url);
    const error = await rejection(link.call(echo, [], [], 'nonce'));
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(error.message).toContain('SCRIPT FLUSH');
  });

  it('connects, reconnects and delivers outside of the context that happens to need it', async () => {
    const redis = await startedRedis();
    const context = new AsyncLocalStorage<string>();
    const seen: [string, unknown][] = [];
    const connects: unknown[] = [];
    const connect: ConnectRedis = (...args) => {
      connects.push(context.getStore());
      return connectNodeRedis(...args);
    };
    const link = await context.run('a turn', async () => {
      const opened = await openedLink(redis.url, { connect });
      opened.link.onGap(() => seen.push(['gap', context.getStore()]));
      await opened.link.subscribe('channel', () => seen.push(['message', context.getStore()]));
      expect(context.getStore()).toBe('a turn');
      return opened.link;
    });
    await link.command(['CLIENT', 'KILL', 'TYPE', 'pubsub']);
    await vi.waitFor(() => expect(seen).toEqual([['gap', undefined]]), { timeout: 60_000 });
    await link.command(['PUBLISH', 'channel', 'x']);
    await vi.waitFor(() => expect(seen[1]).toEqual(['message', undefined]), { timeout: 60_000 });
    expect(connects).toEqual([undefined, undefined, undefined]);
  });

  describe('close', () => {
    it('rejects what is pending and all that comes later', async () => {
      const redis = await startedRedis();
      const { link } = await openedLink(redis.url);
      const left = await link.subscribe('channel', () => {});
      await redis.pause();
      const write = rejection(link.call(addOnce, ['k'], ['n'], 'n'));
      const pending = [
        rejection(link.call(echo, [], [])),
        rejection(link.command(['PING'])),
        rejection(link.subscribe('other', () => {})),
      ];
      await Promise.all([link.close(), link.close()]);
      pending.push(
        rejection(link.call(echo, [], [])),
        rejection(link.subscribe('channel', () => {})),
      );
      for (const error of await Promise.all(pending)) {
        expect(error).toBeInstanceOf(StoreUnavailableError);
        expect(error.message).toMatch(/^The session store was closed\./);
      }
      // It is on its way: the server may still run it.
      const error = await write;
      expect(error).toBeInstanceOf(OutcomeUnknownError);
      expect(error).toMatchObject({ nonce: 'n', cause: expect.any(StoreUnavailableError) });
      expect(error.message).toMatch(/^The session store was closed\./);
      left();
    });

    it('leaves nothing open, in whatever state it is called', async () => {
      const handles = () =>
        process.getActiveResourcesInfo().filter((kind) => /TCP|TLS|Timeout/.test(kind)).length;
      const redis = await startedRedis();
      const before = handles();
      const links = await Promise.all(
        Array.from({ length: 3 }, async () => {
          const link = await RedisLink.open(linkOptions(redis.url));
          await link.subscribe('channel', () => {});
          return link;
        }),
      );
      await links[0]?.close();
      await redis.pause();
      // One in the middle of a call, one in the middle of reconnecting.
      links[1]?.command(['PING']).catch(() => {});
      await links[1]?.close();
      await redis.kill('SIGKILL');
      links[2]?.command(['PING']).catch(() => {});
      await links[2]?.close();
      // Without a timer, which would be a handle of its own.
      while (handles() > before) await new Promise((resolve) => setImmediate(resolve));
    });
  });
});
