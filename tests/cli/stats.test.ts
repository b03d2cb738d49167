import { describe, expect, it } from 'vitest';
import { expectToFit, hasTerminals, run, scene, start, startInTerminal } from './command-line.ts';

describe('holdfast stats', () => {
  it('says what there is, to people and to programs', async () => {
    const { env, opened } = await scene();
    const store = await opened();
    await Promise.all(['a', 'b', 'c'].map((id) => store.create(id)));
    const { code, stdout, stderr } = await run(['stats'], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^sessions {4}3$/m);
    expect(stdout).toMatch(/^encryption {2}off$/m);
    const json = JSON.parse((await run(['stats', '--json'], env)).stdout);
    expect(json).toMatchObject({
      storeType: 'redis',
      activeSessions: 3,
      activeLeases: 0,
      waiters: 0,
    });
    expect(json.server.usedMemoryBytes).toBeGreaterThan(0);
  });

  it('--watch looks again, a line a look, until it is stopped', async () => {
    const { env, opened } = await scene();
    const store = await opened();
    const watching = start(['stats', '--watch', '--json'], env);
    await watching.says(/"activeSessions":0/);
    await store.create('a');
    await watching.says(/"activeSessions":1/);
    watching.send('SIGINT');
    expect(await watching.exit).toMatchObject({ code: 130 });
    for (const line of watching.stdout.trimEnd().split('\n')) {
      expect(JSON.parse(line).at).toBeGreaterThan(0);
    }
  });

  it.skipIf(!hasTerminals)('--watch draws in a terminal', async () => {
    const { env, opened } = await scene();
    const store = await opened();
    await store.create('a');
    const watching = startInTerminal(['stats', '--watch'], env);
    await watching.says(/▁|█/);
    watching.sendToAll('SIGINT');
    await watching.exit;
    expect(watching.stdout).toContain('Ctrl-C ends it.');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the codes with which it draws
    expectToFit(watching.stdout.replaceAll(/\u001b\[[HJ]/g, ''));
  });
});
