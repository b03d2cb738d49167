import { spawnSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { startProcess } from '../helpers/child-process.ts';
import { readLockedPackages, repositoryRoot } from '../helpers/repository.ts';
import { dockerfile, jsonForm, stageOf, stages, wordsOf } from './dockerfile.ts';
import { ImageFolders } from './image-folder.ts';
import { loopbackAddresses } from './replica.ts';

const limitBytes = 80_000_000;
const last = stages.at(-1);
const inLast = (keyword: string) =>
  last?.instructions.filter((one) => one.getKeyword() === keyword) ?? [];

const isolate = ['unshare', '--pid', '--fork', '--kill-child'] as const;
const [unshare, ...isolating] = isolate;
/** Only root can make a namespace of processes, and only on Linux. */
const canIsolate = spawnSync(unshare, [...isolating, 'true']).status === 0;

const readText = (path: string) => readFileSync(join(repositoryRoot, path), 'utf8');
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + lstatSync(join(parentPath, name)).size, 0);
}

function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'));
}

describe('the Dockerfile', () => {
  it('has stages, of which the last one installs and builds nothing', () => {
    expect(stages.map(({ name }) => name)).toEqual([
      'manifests',
      'build',
      'dependencies',
      'server',
    ]);
    expect(inLast('RUN')).toEqual([]);
    // What is copied into it from outside is named, one by one.
    const fromContext = inLast('COPY').filter((one) => stageOf(one) === undefined);
    expect(fromContext.length).toBeGreaterThan(0);
    for (const one of fromContext) expect(wordsOf(one)).not.toContain('.');
  });

  it('begins with a pinned Node that is tested, everywhere', () => {
    const [arg] = dockerfile.getARGs();
    const { version } =
      /^NODE_IMAGE=node:(?<version>\d+\.\d+\.\d+)-\w+-slim$/.exec(arg?.getArgumentsContent() ?? '')
        ?.groups ?? {};
    expect(version).toBe('20.19.6');
    const names = new Set(stages.map(({ name }) => name));
    for (const { from } of stages) expect(from === `\${NODE_IMAGE}` || names.has(from)).toBe(true);
  });

  it('runs as nobody special, with a health check and without secrets', () => {
    expect(inLast('USER').map(wordsOf)).toEqual([['node']]);
    const after = last?.instructions.slice(
      last.instructions.findIndex((one) => one.getKeyword() === 'USER'),
    );
    expect(after?.some((one) => ['COPY', 'RUN', 'ADD'].includes(one.getKeyword()))).toBe(false);
    expect(jsonForm(inLast('HEALTHCHECK')[0])).toEqual(['node', 'healthcheck.mjs']);
    const names = stages.flatMap(({ instructions }) =>
      instructions.filter((one) => ['ENV', 'ARG'].includes(one.getKeyword())).flatMap(wordsOf),
    );
    expect(names.map((word) => word.split('=')[0])).toEqual(['NODE_ENV', 'API_HOST', 'API_PORT']);
    expect(
      stages.flatMap(({ instructions }) => instructions).map((one) => one.getKeyword()),
    ).not.toContain('ADD');
  });

  it('names every workspace that the lockfile has', () => {
    const manifests = stages[0]?.instructions.flatMap(wordsOf) ?? [];
    const workspaces = Object.keys(readLockedPackages()).filter(
      (place) => place !== '' && !place.includes('node_modules'),
    );
    expect(workspaces.length).toBeGreaterThan(2);
    for (const place of workspaces) expect(manifests).toContain(`${place}/package.json`);
  });

  it('makes a server of at most 80 MB that starts, says that it is well, and stops as process 1', async () => {
    const images = new ImageFolders(inject('builtCopy'));
    const folder = await images.make('server');
    const modules = bytesIn(await images.make('dependencies'));
    const all = bytesIn(folder);
    console.log(
      `\`npm ci --omit=dev\`: ${megabytes(modules)}; with what is built: ${megabytes(all)}`,
    );
    expect(all).toBeLessThanOrEqual(limitBytes);

    const [host = ''] = process.platform === 'linux' ? loopbackAddresses(1) : ['127.0.0.1'];
    const env = { ...images.env, API_HOST: host };
    const command = jsonForm(inLast('CMD')[0]);
    const check = () => {
      const [program = '', ...args] = jsonForm(inLast('HEALTHCHECK')[0]);
      return startProcess(program, args, { cwd: folder, env }).exit;
    };
    expect(await check()).toMatchObject({ code: 1 });
    // In a namespace of its own it is process 1, as in a container.
    const own = canIsolate ? isolate : [];
    const [program = '', ...args] = [...own, ...command];
    const server = startProcess(program, args, { cwd: folder, env });
    await server.says(/Holdfast is ready at \S+/);
    expect(await check()).toMatchObject({ code: 0 });
    const page = await fetch(`http://${host}:8000/`);
    expect([page.status, page.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('html'),
    ]);
    const found = await fetch(`http://${host}:8000/api/search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: 'refund' }),
    });
    expect(found.status).toBe(200);

    const pid = canIsolate ? childOf(server.pid) : server.pid;
    process.kill(pid, 'SIGTERM');
    expect(await server.exit).toMatchObject({ code: 0 });
    expect(server.stdout).toContain('shutting down');
    // The command line is there, too.
    const cli = startProcess('node', ['packages/holdfast/dist/cli.js', '--help'], { cwd: folder });
    expect(await cli.exit).toMatchObject({ code: 0 });
  });

  it('keeps secrets and settings out of its context', () => {
    const ignored = readText('.dockerignore').split('\n');
    for (const place of [
      '**/.env',
      '.git',
      'deploy/secrets',
      'deploy/certificates',
      '**/node_modules',
    ]) {
      expect(ignored).toContain(place);
    }
  });
});
