import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { startProcess } from '../helpers/child-process.ts';
import { copyBuilt, repositoryRoot } from '../helpers/repository.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const library = 'packages/holdfast';
const manifest: { exports: Record<string, { types: string } | string> } = JSON.parse(
  readFileSync(join(repositoryRoot, library, 'package.json'), 'utf8'),
);
const entries = Object.entries(manifest.exports).flatMap(([name, target]) =>
  typeof target === 'string' ? [] : [[name, target.types] as const],
);

describe('the built library', () => {
  it.each(entries)('has the export %s with its types', async (name, types) => {
    const copy = inject('builtCopy');
    expect(existsSync(join(copy, library, types))).toBe(true);
    const script = `console.log(Object.keys(await import('holdfast${name.slice(1)}')).length)`;
    const imported = startProcess(process.execPath, ['--input-type=module', '-e', script], {
      cwd: copy,
    });
    await imported.says(/^[1-9]\d*$/m);
    expect(await imported.exit).toEqual({ code: 0, signal: null });
  });

  it('is imported by the built server, not copied into it', () => {
    const dist = join(inject('builtCopy'), 'packages/support-agent/dist');
    const scripts = readdirSync(dist).filter((name) => name.endsWith('.js'));
    const text = scripts.map((name) => readFileSync(join(dist, name), 'utf8')).join('\n');
    expect(text).toMatch(/from "holdfast"/);
  });
});

/** Runs a script beside the built library, where these packages are not installed. */
function without(packages: readonly string[], script: string, env: Record<string, string> = {}) {
  const cwd = temporaryFolder();
  copyBuilt(inject('builtCopy'), cwd);
  for (const name of packages) rmSync(join(cwd, 'node_modules', name), { recursive: true });
  return startProcess(process.execPath, ['--input-type=module', '-e', script], { cwd, env });
}

describe('the built library where neither redis nor zod is installed', () => {
  it('encrypts', async () => {
    const run = without(
      ['redis', '@redis', 'zod'],
      `import { createCodec, generateKey, KeyRing } from 'holdfast/encryption';
       const ring = KeyRing.parse(generateKey());
       const codec = createCodec(ring, { cipher: 'aes-256-gcm', namespace: 'a' });
       const place = { sessionId: 'a', incarnation: '1', kind: 'state', position: 1 };
       console.log(codec.decode(codec.encode('It works.', place), place));`,
    );
    expect(await run.exit).toEqual({ code: 0, signal: null });
    expect(run.stdout).toBe('It works.\n');
  });
});

describe('the built library where the redis package is not installed', () => {
  const withoutRedis = (script: string, env?: Record<string, string>) =>
    without(['redis', '@redis'], script, env);

  it('keeps sessions in memory', async () => {
    const run = withoutRedis(
      `import { createSessionManager, loadConfig } from 'holdfast';
       const sessions = await createSessionManager(loadConfig());
       await sessions.getOrCreate({ sessionId: 'a' });
       console.log(await sessions.turn('a', () => 'It works.'));
       await sessions.close();`,
    );
    expect(await run.exit).toEqual({ code: 0, signal: null });
    expect(run.stdout).toBe('It works.\n');
  });

  it('says what to install for sessions on Redis', async () => {
    const run = withoutRedis(
      `import { createSessionStore, loadConfig } from 'holdfast';
       import { RedisSessionStore } from 'holdfast/redis';
       const wanted = createSessionStore(loadConfig());
       await wanted.catch(({ code, message }) => console.log(RedisSessionStore.name, code, message));`,
      { SESSION_STORE_TYPE: 'redis' },
    );
    expect(await run.exit).toEqual({ code: 0, signal: null });
    expect(run.stdout).toMatch(/^RedisSessionStore CONFIG .*npm install redis@6\./);
  });
});

it('the built library reads User-Agents only for fingerprints', async () => {
  const run = without(
    ['bowser'],
    `import { createSessionManager, loadConfig } from 'holdfast';
     import { clientFrom } from 'holdfast/http';
     const off = loadConfig({ env: { SESSION_FINGERPRINTING_ENABLED: 'false' } });
     await (await createSessionManager(off)).close();
     const on = createSessionManager(loadConfig({ env: {} }));
     await on.catch(({ message }) => console.log(typeof clientFrom, message));`,
  );
  expect(await run.exit).toEqual({ code: 0, signal: null });
  expect(run.stdout).toMatch(/^function Cannot find package 'bowser'/);
});

it('the built fingerprints need no redis package', async () => {
  const run = without(
    ['redis', '@redis'],
    `import { Fingerprinter } from 'holdfast/fingerprint';
     console.log(new Fingerprinter().differences({}, {}));`,
  );
  expect(await run.exit).toEqual({ code: 0, signal: null });
  expect(run.stdout).toBe("[ 'unknown_key' ]\n");
});
