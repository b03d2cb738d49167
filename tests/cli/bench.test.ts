import { describe, expect, inject, it } from 'vitest';
import { startProcess } from '../helpers/child-process.ts';
import { asking } from '../redis/support/asking.ts';
import { run, scene, start } from './command-line.ts';

describe('holdfast bench', () => {
  it('measures in a namespace of its own, and leaves nothing of it', async () => {
    const { env, redis, opened } = await scene();
    await (await opened()).create('of-a-customer');
    const ask = await asking(redis.url);
    const { code, stdout, stderr } = await run(['bench', '--seconds', '3', '--json'], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { seconds, results } = JSON.parse(stdout);
    expect(seconds).toBe(3);
    expect(results).toHaveLength(6);
    for (const { count, perSecond, p50Ms, p99Ms } of results) {
      expect(count).toBeGreaterThan(0);
      expect(perSecond).toBeGreaterThan(0);
      expect(p99Ms).toBeGreaterThanOrEqual(p50Ms);
    }
    const keys = (await ask('KEYS', '*')) as readonly string[];
    expect(keys.filter((key) => key.includes('bench-'))).toEqual([]);
    expect(keys.filter((key) => key.includes('of-a-customer'))).not.toEqual([]);
  });

  it('shows a table', async () => {
    const { env } = await scene();
    const { code, stdout } = await run(['bench', '--seconds', '2'], env);
    expect(code).toBe(0);
    expect(stdout).toMatch(/A SECOND +HALF WITHIN +99 % WITHIN/);
    expect(stdout).toMatch(/^turn, one at a time +[\d,]+ +[\d.]+ ms +[\d.]+ ms$/m);
  });

  it('whose output nobody reads leaves nothing either', async () => {
    const { env, redis } = await scene();
    const ask = await asking(redis.url);
    const command = `'${process.execPath}' packages/holdfast/dist/cli.js bench --seconds 3`;
    const piped = startProcess('/bin/sh', ['-c', `{ ${command}; echo "code $?" >&2; } | true`], {
      cwd: inject('builtCopy'),
      env,
    });
    await piped.exit;
    expect(piped.stderr).toMatch(/code 141$/m);
    expect(await ask('KEYS', '*bench-*')).toEqual([]);
  });

  it('ends when Redis does', async () => {
    const { env, redis } = await scene({
      REDIS_SOCKET_TIMEOUT: '1',
      SESSION_LOCK_RETRY_ATTEMPTS: '0',
    });
    const ask = await asking(redis.url);
    const measuring = start(['bench', '--seconds', '600', '--json'], env);
    const begun = async () => String(await ask('KEYS', '*bench-*:s:*')) !== '';
    await expect.poll(begun, { timeout: 60_000 }).toBe(true);
    await redis.kill('SIGKILL');
    expect(await measuring.exit).toMatchObject({ code: 1 });
    expect(measuring.stderr.replaceAll(/\s+/g, ' ')).toContain('could not be removed');
  });

  it('stopped half-way leaves nothing either', async () => {
    const { env, redis } = await scene();
    const ask = await asking(redis.url);
    const keys = async () => (await ask('KEYS', '*')) as readonly string[];
    const measuring = start(['bench', '--seconds', '600', '--json'], env);
    await expect
      .poll(async () => (await keys()).some((key) => /:s:/.test(key)), { timeout: 60_000 })
      .toBe(true);
    measuring.send('SIGINT');
    expect(await measuring.exit).toMatchObject({ code: 130 });
    expect(measuring.stderr).toContain('What it had written is removed.');
    expect(await keys()).toEqual([]);
  });
});
