import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { identityOf, isAlive } from '../../scripts/lib/process-identity.mjs';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { RawClient } from './raw-client.ts';
import { type RedisOptions, startRedis } from './redis-server.ts';

async function startedRedis(options?: RedisOptions, pickPort?: () => number) {
  const redis = await startRedis(options, pickPort);
  onTestFinished(() => redis.stop());
  return redis;
}

describe('startRedis', () => {
  it('serves at its URL, as the process and the version it names', async () => {
    const redis = await startedRedis();
    expect(redis.url).toBe(`redis://127.0.0.1:${redis.port}`);
    const client = await RawClient.connect(redis.port);
    expect(await client.send('PING')).toBe('+PONG');
    const info = await client.send('INFO', 'server');
    expect(info).toContain(`process_id:${redis.pid}\r\n`);
    expect(info).toContain(`_version:${redis.version}\r\n`);
  });

  it('starts many at once, each on a port and in a folder of its own', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => startedRedis()));
    expect(new Set(all.map(({ port }) => port)).size).toBe(8);
    expect(new Set(all.map(({ folder }) => folder)).size).toBe(8);
    for (const { port, pid } of all) {
      const client = await RawClient.connect(port);
      expect(await client.send('INFO', 'server')).toContain(`process_id:${pid}\r\n`);
    }
  });

  it('takes another port when somebody, a Redis even, has the first', async () => {
    const taken = await startedRedis();
    const offered: number[] = [];
    const redis = await startedRedis({}, () => {
      offered.push(offered.length < 2 ? taken.port : taken.port + offered.length);
      return offered.at(-1) ?? 0;
    });
    expect(offered.slice(0, 2)).toEqual([taken.port, taken.port]);
    expect(redis.port).toBe(offered.at(-1));
    const client = await RawClient.connect(redis.port);
    expect(await client.send('INFO', 'server')).toContain(`process_id:${redis.pid}\r\n`);
  });

  it('passes arguments on, and they win', async () => {
    const args = ['--maxmemory', '50mb', '--appendfsync', 'everysec'];
    const redis = await startedRedis({ persistence: 'aof', args });
    const client = await RawClient.connect(redis.port);
    expect(await client.send('INFO', 'memory')).toContain('maxmemory:52428800\r\n');
    expect(await client.send('INFO', 'persistence')).toContain('aof_enabled:1\r\n');
  });

  it('fails with the log of a server that does not start, and leaves nothing', async () => {
    const temporary = temporaryFolder();
    vi.stubEnv('TMPDIR', temporary);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const start = startRedis({ args: ['--no-such-setting', 'x'] });
    await expect(start).rejects.toThrow(
      /^The server ended \(code 1\) before it was ready\. Its log:\n.*no-such-setting/s,
    );
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('keeps acknowledged writes through SIGKILL with aof, on the same port', async () => {
    const redis = await startedRedis({ persistence: 'aof' });
    const { port, pid, folder } = redis;
    const before = await RawClient.connect(port);
    for (let at = 0; at < 100; at++)
      expect(await before.send('SET', `key${at}`, `${at}`)).toBe('+OK');
    await redis.kill('SIGKILL');
    await redis.restart();
    expect(redis).toMatchObject({ port, folder });
    expect(redis.pid).not.toBe(pid);
    const after = await RawClient.connect(port);
    expect(await after.send('DBSIZE')).toBe(':100');
    expect(await after.send('GET', 'key99')).toBe('99');
  });

  it('keeps data through a restart with aof, and none without', async () => {
    const kept = await startedRedis({ persistence: 'aof' });
    const lost = await startedRedis();
    for (const redis of [kept, lost]) {
      await (await RawClient.connect(redis.port)).send('SET', 'key', 'value');
      await redis.restart();
    }
    expect(await (await RawClient.connect(kept.port)).send('GET', 'key')).toBe('value');
    expect(await (await RawClient.connect(lost.port)).send('GET', 'key')).toBe('$-1');
  });

  it('refuses connections between kill and restart: nobody else gets its port', async () => {
    const redis = await startedRedis();
    const server = identityOf(redis.pid);
    await redis.kill('SIGTERM');
    expect(isAlive(server)).toBe(false);
    const ports = [redis.port, redis.port, ...Array.from({ length: 40 }, (_, at) => 22_000 + at)];
    const other = await startedRedis({}, () => ports.shift() ?? 0);
    expect(other.port).not.toBe(redis.port);
    await expect(RawClient.connect(redis.port)).rejects.toThrow('ECONNREFUSED');
    await redis.restart();
    expect(await (await RawClient.connect(redis.port)).send('PING')).toBe('+PONG');
  });

  it('says who has the port when a restart finds it taken, and can restart later', async () => {
    const redis = await startedRedis();
    await redis.kill('SIGKILL');
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(redis.port, '127.0.0.1', resolve));
    await expect(redis.restart()).rejects.toThrow('Address already in use');
    await new Promise((resolve) => other.close(resolve));
    await redis.restart();
    expect(await (await RawClient.connect(redis.port)).send('PING')).toBe('+PONG');
  });

  it('answers nothing while paused, and then what was asked meanwhile', async () => {
    const redis = await startedRedis();
    const client = await RawClient.connect(redis.port);
    const clock = await RawClient.connect((await startedRedis()).port);
    await redis.pause();
    let answered = false;
    const reply = client.send('PING').finally(() => {
      answered = true;
    });
    // Ample time for an answer, by the measure of another server.
    for (let round = 0; round < 500; round++) await clock.send('PING');
    expect(answered).toBe(false);
    redis.resume();
    expect(await reply).toBe('+PONG');
  });

  it('ends a paused server too, by any signal', async () => {
    const redis = await startedRedis();
    await redis.pause();
    await redis.kill('SIGTERM');
    await redis.restart();
    await redis.pause();
    await redis.stop();
    expect(isAlive(identityOf(redis.pid))).toBe(false);
  });

  it('refuses to pause and to resume what does not run', async () => {
    const redis = await startedRedis();
    await redis.kill('SIGKILL');
    await expect(redis.pause()).rejects.toThrow('There is no running server to pause.');
    expect(() => redis.resume()).toThrow('There is no running server to resume.');
  });

  it('leaves no process and no folder after stop, however often, and after a block', async () => {
    const redis = await startRedis({ persistence: 'aof' });
    const other = await startedRedis();
    const server = identityOf(redis.pid);
    expect(readFileSync(join(redis.folder, 'server.log'), 'utf8')).toContain('Ready');
    await Promise.all([redis.stop(), redis.stop()]);
    await redis.stop();
    expect(isAlive(server)).toBe(false);
    expect(existsSync(redis.folder)).toBe(false);

    const left = await (async () => {
      await using inBlock = await startRedis();
      return { server: identityOf(inBlock.pid), folder: inBlock.folder };
    })();
    expect(isAlive(left.server)).toBe(false);
    expect(existsSync(left.folder)).toBe(false);
    expect(await (await RawClient.connect(other.port)).send('PING')).toBe('+PONG');
  });
});
