import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { RawClient } from './raw-client.ts';
import { type RedisOptions, startRedisOnFakeTime } from './redis-server.ts';

const noon = Date.UTC(2031, 6, 1, 12);

async function startedRedis(options?: RedisOptions & { time?: number }) {
  const redis = await startRedisOnFakeTime(options);
  onTestFinished(() => redis.stop());
  return { redis, client: await RawClient.connect(redis.port) };
}

const inScript = `EVAL "return redis.call('TIME')" 0`;

/** As TIME tells it to clients and to scripts. */
async function timeOf(client: RawClient): Promise<string> {
  const time = await client.send('TIME');
  expect(await client.send(inScript)).toBe(time);
  return time;
}

/** TIME's reply: seconds, and the microseconds in them. */
const timeAt = (ms: number) => `${Math.floor(ms / 1000)} ${(ms % 1000) * 1000}`;

const ttlAndValue = async (client: RawClient, key: string) => [
  await client.send('PTTL', key),
  await client.send('GET', key),
];

describe('a Redis on fake time', () => {
  it('begins at 2030, or where it is told to', async () => {
    const { client } = await startedRedis();
    expect(await timeOf(client)).toBe(timeAt(Date.UTC(2030, 0, 1)));
    const { client: other } = await startedRedis({ time: noon + 7 });
    expect(await timeOf(other)).toBe(timeAt(noon + 7));
  });

  it('tells every set millisecond exactly, with no microseconds', async () => {
    const { redis, client } = await startedRedis();
    for (let fraction = 0; fraction < 1000; fraction++) {
      redis.setTime(noon + fraction);
      expect(await client.send('TIME')).toBe(timeAt(noon + fraction));
    }
  });

  it('stands still while real time passes, in which its own timers run', async () => {
    const { redis, client } = await startedRedis({ time: noon });
    const began = Date.now();
    await client.send('SET', 'key', 'value', 'PXAT', `${noon}`);
    redis.setTime(noon + 1);
    // Without being asked, the server drops what has expired ten times a second.
    await vi.waitUntil(
      async () => (await client.send('INFO', 'stats')).includes('expired_keys:1\r\n'),
      { timeout: 60_000, interval: 5 },
    );
    while (Date.now() <= began + 1) await sleep(1);
    expect(await timeOf(client)).toBe(timeAt(noon + 1));
  });

  // Redis's own rule: a key is there in the millisecond that PEXPIREAT names, and gone in the next.
  it('expires a key exactly when real Redis does', async () => {
    const { redis, client } = await startedRedis({ time: noon });
    const at = noon + 12_345;
    await client.send('SET', 'key', 'value');
    expect(await client.send('PEXPIREAT', 'key', `${at}`)).toBe(':1');
    expect(await ttlAndValue(client, 'key')).toEqual([':12345', 'value']);
    redis.setTime(at - 1);
    expect(await ttlAndValue(client, 'key')).toEqual([':1', 'value']);
    redis.setTime(at);
    expect(await ttlAndValue(client, 'key')).toEqual([':0', 'value']);
    redis.setTime(at + 1);
    expect(await ttlAndValue(client, 'key')).toEqual([':-2', '$-1']);
  });

  it('counts from its own time in what is relative, in scripts too', async () => {
    const { redis, client } = await startedRedis();
    redis.setTime(noon);
    await client.send(`EVAL "return redis.call('SET', KEYS[1], 'value', 'PX', 500)" 1 key`);
    expect(await client.send('PEXPIRETIME', 'key')).toBe(`:${noon + 500}`);
    redis.setTime(noon + 500);
    expect(await client.send(`EVAL "return redis.call('EXISTS', KEYS[1])" 1 key`)).toBe(':1');
    redis.setTime(noon + 501);
    expect(await client.send(`EVAL "return redis.call('EXISTS', KEYS[1])" 1 key`)).toBe(':0');
  });

  it('goes on from its time after a restart, with its keys and their ends', async () => {
    const { redis, client } = await startedRedis({ persistence: 'aof' });
    redis.setTime(noon);
    await client.send('SET', 'key', 'value', 'PXAT', `${noon + 100}`);
    await redis.restart();
    const after = await RawClient.connect(redis.port);
    expect(await timeOf(after)).toBe(timeAt(noon));
    await redis.kill('SIGKILL');
    redis.setTime(noon + 99);
    await redis.restart();
    const last = await RawClient.connect(redis.port);
    expect(await timeOf(last)).toBe(timeAt(noon + 99));
    expect(await ttlAndValue(last, 'key')).toEqual([':1', 'value']);
    redis.setTime(noon + 101);
    expect(await ttlAndValue(last, 'key')).toEqual([':-2', '$-1']);
  });

  it('ends a script that takes too long by real time', async () => {
    const { redis, client } = await startedRedis({ args: ['--lua-time-limit', '1'] });
    const endless = client.send('EVAL "while true do end" 0');
    const other = await RawClient.connect(redis.port);
    await vi.waitUntil(async () => (await other.send('SCRIPT', 'KILL')) === '+OK', {
      timeout: 60_000,
      interval: 5,
    });
    expect(await endless).toMatch(/^-ERR .*[Ss]cript killed/);
  });

  it('runs in a folder with a space and a colon in its name', async () => {
    const folder = join(temporaryFolder(), 'a b:c');
    mkdirSync(folder);
    vi.stubEnv('TMPDIR', folder);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const { client } = await startedRedis({ time: noon });
    expect(await timeOf(client)).toBe(timeAt(noon));
  });

  it('is not misled by settings for another libfaketime', async () => {
    vi.stubEnv('FAKETIME', '2001-01-01 00:00:00');
    vi.stubEnv('TZ', 'Asia/Kolkata');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const { client } = await startedRedis({ time: noon });
    expect(await timeOf(client)).toBe(timeAt(noon));
  });

  it('refuses what is no whole millisecond', async () => {
    const { redis } = await startedRedis();
    for (const ms of [0.5, -1, Number.NaN]) {
      expect(() => redis.setTime(ms)).toThrow(`${ms} is no whole millisecond.`);
    }
  });

  it('leaves nothing in shared memory, however it ends', async () => {
    const { redis } = await startedRedis();
    const left = () => readdirSync('/dev/shm').filter((name) => name.endsWith(`_${redis.pid}`));
    expect(left()).toEqual([]);
    await redis.restart();
    expect(left()).toEqual([]);
    await redis.stop();
    expect(left()).toEqual([]);
    expect(existsSync(redis.folder)).toBe(false);
  });
});
