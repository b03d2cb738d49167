import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Problem } from '../../scripts/lib/problem.mjs';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { findRedisServer } from './find-redis-server.ts';

/** A folder with these programs, to be used as PATH. */
function folderWith(programs: Record<string, string>): string {
  const folder = temporaryFolder();
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return folder;
}

const says = (version: string) => `echo 'Some server v=${version} sha=0'`;

async function problemOf(found: Promise<unknown>): Promise<string> {
  const problem = await found.catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(Problem);
  return (problem as Problem).message;
}

describe('findRedisServer', () => {
  it('takes REDIS_SERVER_BIN before all', async () => {
    const given = join(folderWith({ mine: says('1.2.3') }), 'mine');
    const path = folderWith({ 'redis-server': says('7.0.0') });
    vi.stubEnv('REDIS_SERVER_BIN', given);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    expect(await findRedisServer({ path })).toMatchObject({ command: given, version: '1.2.3' });
  });

  it.each([
    ['is not there', undefined, /^REDIS_SERVER_BIN is \S+, which does not run \(.*ENOENT\)\.$/],
    ['fails', 'echo no library >&2; exit 127', /^REDIS_SERVER_BIN is .* \(no library\)\.$/],
    ['is something else', 'echo GNU sed', /^REDIS_SERVER_BIN is .* \(it says "GNU sed"\)\.$/],
  ])('says in one sentence that REDIS_SERVER_BIN %s', async (_, script, sentence) => {
    const folder = folderWith(script === undefined ? {} : { server: script });
    const path = folderWith({ 'redis-server': says('7.0.0') });
    const given = join(folder, 'server');
    expect(await problemOf(findRedisServer({ given, path }))).toMatch(sentence);
  });

  it('takes the first on PATH that runs, Redis before Valkey', async () => {
    const broken = folderWith({ 'redis-server': 'exit 127' });
    const valkey = folderWith({ 'valkey-server': says('8.1.0') });
    const redis = folderWith({ 'redis-server': says('7.0.0') });
    const versionOn = async (...path: string[]) =>
      (await findRedisServer({ given: '', path: path.join(delimiter) })).version;
    expect(await versionOn(broken, valkey, redis)).toBe('7.0.0');
    expect(await versionOn('', '/no/such/folder', broken, valkey)).toBe('8.1.0');
  });

  it('says in one sentence what to do where there is neither Redis nor apt', async () => {
    const cacheFolder = join(temporaryFolder(), 'cache');
    const found = findRedisServer({ given: '', path: temporaryFolder(), cacheFolder });
    expect(await problemOf(found)).toMatch(
      /^No redis-server was found: set REDIS_SERVER_BIN, or install it \([^.\n]+\)\.$/,
    );
    expect(existsSync(cacheFolder)).toBe(false);
  });

  it.runIf(process.platform === 'linux')(
    'says in one sentence what kept apt from helping',
    async () => {
      const cacheFolder = join(temporaryFolder(), 'cache');
      const failing = `echo 'E: Unable to locate package redis-server' >&2; exit 100`;
      const path = folderWith({ 'apt-get': failing, dpkg: 'exit 1' });
      expect(await problemOf(findRedisServer({ given: '', path, cacheFolder }))).toBe(
        'No redis-server was found, and apt could not provide one (Unable to locate package redis-server): set REDIS_SERVER_BIN, or install it (apt-get install redis-server).',
      );
      expect(readdirSync(cacheFolder)).toEqual(['lock']);
    },
  );
});
