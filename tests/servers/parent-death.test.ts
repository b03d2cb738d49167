import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { identityOf, isAlive } from '../../scripts/lib/process-identity.mjs';
import { type RunningProcess, startProcess } from '../helpers/child-process.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { findRedisServer } from './find-redis-server.ts';
import { writeAsJavaScript } from './sources-as-javascript.ts';

interface Started {
  server: ReturnType<typeof identityOf>;
  folder: string;
}

/** A process that starts servers, tells of them, and then does as `body` says. */
async function startParent(body: string) {
  const root = temporaryFolder();
  writeAsJavaScript(root);
  const { command, env } = await findRedisServer();
  const module = pathToFileURL(join(root, 'tests', 'servers', 'redis-server.js')).href;
  const script = `
    import { startRedis } from ${JSON.stringify(module)};
    const servers = [await startRedis(), await startRedis({ persistence: 'aof' })];
    await servers[1].pause();
    const told = JSON.stringify(servers.map(({ pid, folder }) => ({ pid, folder })));
    await new Promise((resolve) => process.stdout.write(told + '\\n', resolve));
    ${body}`;
  const parent = startProcess(process.execPath, ['--input-type=module', '-e', script], {
    cwd: root,
    env: { REDIS_SERVER_BIN: command, LD_LIBRARY_PATH: env.LD_LIBRARY_PATH ?? '' },
  });
  const [told] = await parent.says(/^\[.*\]$/m);
  const servers: Started[] = (JSON.parse(told) as { pid: number; folder: string }[]).map(
    ({ pid, folder }) => ({ server: identityOf(pid), folder }),
  );
  return { parent, servers };
}

/** Within the test's own time: their guardians need a moment. */
async function nothingIsLeftOf(servers: Started[]): Promise<void> {
  await vi.waitUntil(
    () => servers.every(({ server, folder }) => !isAlive(server) && !existsSync(folder)),
    { timeout: 60_000, interval: 5 },
  );
}

const stays = 'setInterval(() => {}, 1e6);';

describe('servers whose process', () => {
  it.each<[string, (parent: RunningProcess) => void]>([
    ['is killed', (parent) => parent.send('SIGKILL')],
    ['is killed with its process group', (parent) => parent.sendToAll('SIGKILL')],
    ['is terminated', (parent) => parent.send('SIGTERM')],
    ['is interrupted from the terminal', (parent) => parent.sendToAll('SIGINT')],
  ])('%s end with it, paused or not, and leave nothing', async (_, end) => {
    const { parent, servers } = await startParent(stays);
    expect(servers.map(({ server }) => isAlive(server))).toEqual([true, true]);
    expect(servers.map(({ folder }) => existsSync(folder))).toEqual([true, true]);
    end(parent);
    await nothingIsLeftOf(servers);
  });

  it.each([
    ['exits', 'process.exit(0);', 0],
    ['throws', 'throw new Error("no more");', 1],
    ['comes to its end without a stop', '', 0],
  ])('%s end with it and leave nothing', async (_, body, code) => {
    const { parent, servers } = await startParent(body);
    expect(await parent.exit).toEqual({ code, signal: null });
    await nothingIsLeftOf(servers);
  });
});
