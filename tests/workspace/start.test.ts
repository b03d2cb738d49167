import { appendFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { addressOf, npmStart } from '../helpers/npm-start.ts';
import { copyBuilt, copySources, linkDependencies } from '../helpers/repository.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

function copyOfBuilt(options?: { buildTools: boolean }): string {
  const folder = temporaryFolder();
  copyBuilt(inject('builtCopy'), folder, options);
  return folder;
}

function copyOfSources(options?: { buildTools: boolean }): string {
  const folder = temporaryFolder();
  copySources(folder);
  linkDependencies(folder, options);
  return folder;
}

/** A port that nobody listens on. */
async function freePort(): Promise<string> {
  const { port, close } = await takePort();
  await close();
  return port;
}

async function takePort() {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port.');
  const close = () => new Promise((resolve) => server.close(resolve));
  return { port: String(address.port), close };
}

async function healthAt(address: string) {
  const response = await fetch(`${address}/health`);
  const body = (await response.json()) as { healthy: boolean };
  return { status: response.status, healthy: body.healthy };
}

const oneSentence = /^[^\n]+\.\n$/;

describe('npm start', () => {
  it('builds a fresh clone, serves it, says where and with which key, and ends on SIGTERM', async () => {
    const start = npmStart(copyOfSources());
    await start.says(/^Building holdfast, @holdfast\/support-agent, @holdfast\/web …$/m);
    const [built] = await start.says(/^Built in .*$/m);
    const builtAt = performance.now();
    const address = await addressOf(start);
    console.log(`${built} Ready ${((performance.now() - builtAt) / 1000).toFixed(2)} s later.`);
    await start.says(/operator key.*\S{16,}/i);
    expect(await healthAt(address)).toMatchObject({ status: 200, healthy: true });
    const page = await fetch(`${address}/`);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('<script type="module"');

    start.send('SIGTERM');
    expect(await start.exit).toEqual({ code: 0, signal: null });
    await expect(healthAt(address)).rejects.toThrow('fetch failed');
  });

  it('builds nothing that is built, and only what is stale', async () => {
    const folder = copyOfBuilt();
    const first = npmStart(folder);
    await addressOf(first);
    expect(first.stdout).not.toContain('Building');
    await first.stop();

    appendFileSync(join(folder, 'packages/web/index.html'), '<!-- changed -->');
    const second = npmStart(folder);
    await addressOf(second);
    expect(second.stdout).toMatch(/^Building @holdfast\/web …$/m);
    await second.stop();

    appendFileSync(join(folder, 'packages/holdfast/src/index.ts'), '// changed\n');
    const third = npmStart(folder);
    await addressOf(third);
    expect(third.stdout).toMatch(/^Building holdfast, @holdfast\/support-agent …$/m);
  });

  it('twice at once: one builds and serves, the other waits; the port goes to one of them', async () => {
    const folder = copyOfSources();
    const port = await freePort();
    const first = npmStart(folder, { API_PORT: port });
    await first.says(/^Building/m);
    first.sendToAll('SIGSTOP');
    const second = npmStart(folder, { API_PORT: port });
    await second.says(/^Process \d+ is building this checkout; waiting for it to finish\.$/m);
    first.sendToAll('SIGCONT');

    const both = [first, second];
    const failed = await Promise.race(
      both.map(async (start) => {
        const exit = await start.exit;
        return { start, exit };
      }),
    );
    const serving = failed.start === first ? second : first;
    const address = await addressOf(serving);
    expect(address).toBe(`http://localhost:${port}`);
    expect(await healthAt(address)).toMatchObject({ healthy: true });
    expect(failed.exit.code).toBe(1);
    expect(failed.start.stderr).toMatch(oneSentence);
    expect(failed.start.stderr).toContain(`Port ${port} is in use`);
    expect(second.stdout).not.toContain('Building');
  });

  it('says that the port is taken', async () => {
    const { port, close } = await takePort();
    onTestFinished(async () => {
      await close();
    });
    const start = npmStart(copyOfBuilt(), { API_PORT: port });
    expect((await start.exit).code).toBe(1);
    expect(start.stderr).toBe(
      `Port ${port} is in use; stop the other process or start with API_PORT=${Number(port) + 1} npm start.\n`,
    );
  });
});

describe('npm start where NODE_ENV=production left the build tools out', () => {
  const env = { NODE_ENV: 'production' };

  it('serves what is built', async () => {
    const start = npmStart(copyOfBuilt({ buildTools: false }), env);
    const address = await addressOf(start);
    expect(await healthAt(address)).toMatchObject({ healthy: true });
  });

  it('says what to do when there is something to build', async () => {
    const start = npmStart(copyOfSources({ buildTools: false }), env);
    expect((await start.exit).code).toBe(1);
    expect(start.stderr).toMatch(oneSentence);
    expect(start.stderr).toContain('run `npm ci --include=dev`');
    expect(start.stdout).toBe('');
  });
});
