import { chmodSync, existsSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { identityOf, isAlive } from '../../scripts/lib/process-identity.mjs';
import { FixtureWorkspace } from '../helpers/fixture-workspace.ts';

const everything = ['z-library', 'support-agent'];

async function builtWorkspace(): Promise<FixtureWorkspace> {
  const workspace = new FixtureWorkspace();
  expect(await workspace.run('build')).toMatchObject({ code: 0, stderr: '' });
  expect(workspace.builds()).toEqual(everything);
  return workspace;
}

/** A build that is under way: its tool holds, and its pid is known. */
async function holdingBuild(workspace: FixtureWorkspace) {
  workspace.write('packages/z-library/src/index.js', 'HOLD');
  const first = workspace.start('build');
  const holding = workspace.path('holding');
  await vi.waitUntil(() => existsSync(holding) && readFileSync(holding, 'utf8') !== '', 60_000);
  return { first, toolPid: Number(readFileSync(holding, 'utf8')) };
}

describe('what is stale', () => {
  it('builds a package after those it needs, and nothing twice', async () => {
    const workspace = await builtWorkspace();
    expect(await workspace.run('build')).toMatchObject({
      code: 0,
      stdout: 'Everything is built already.\n',
    });
    expect(workspace.builds()).toEqual([]);
  });

  it('builds a changed package alone', async () => {
    const workspace = await builtWorkspace();
    workspace.write('packages/support-agent/src/main.js', 'export {};');
    await workspace.run('build');
    expect(workspace.builds()).toEqual(['support-agent']);
    expect(readFileSync(workspace.path('packages/support-agent/dist/main.js'), 'utf8')).toBe(
      'export {};',
    );
  });

  it.each([
    ['a new file of a needed package', 'packages/z-library/src/more.js'],
    ['the lockfile', 'package-lock.json'],
    ['shared compiler options', 'tsconfig.base.json'],
    ["a needed package's configuration", 'packages/z-library/build.config.ts'],
  ])('builds all that depends on %s', async (_, file) => {
    const workspace = await builtWorkspace();
    workspace.write(file, '{ }');
    await workspace.run('build');
    expect(workspace.builds()).toEqual(everything);
  });

  it('is unmoved by a test, a hidden file and a new time', async () => {
    const workspace = await builtWorkspace();
    workspace.write('packages/z-library/src/index.test.ts', 'expect(1).toBe(1);');
    workspace.write('packages/z-library/src/.index.js.swp', '');
    utimesSync(workspace.path('packages/z-library/src/index.js'), 1, 1);
    utimesSync(workspace.path('packages/z-library/dist/index.js'), 1, 1);
    await workspace.run('build');
    expect(workspace.builds()).toEqual([]);
  });

  it('builds again what was deleted from or changed in the output', async () => {
    const workspace = await builtWorkspace();
    rmSync(workspace.path('packages/z-library/dist/index.js'));
    workspace.write('packages/support-agent/dist/main.js', '');
    await workspace.run('build');
    expect(workspace.builds()).toEqual(everything);
  });
});

describe('a build that does not end well', () => {
  it('fails with what the tool said, and is stale until it succeeds', async () => {
    const workspace = await builtWorkspace();
    workspace.write('packages/z-library/src/index.js', 'BROKEN');
    for (let attempt = 0; attempt < 2; attempt++) {
      const { code, stderr } = await workspace.run('start');
      expect(code).toBe(1);
      expect(stderr).toMatch(/^Building library failed \(copy-tool: 1\)\.\n/);
      expect(stderr).toContain('copy-tool does not like this');
      expect(workspace.builds()).toEqual(['z-library']);
    }
    workspace.write('packages/z-library/src/index.js', '');
    expect(await workspace.run('start')).toMatchObject({ code: 0, stderr: '' });
    expect(workspace.builds()).toEqual(everything);
  });

  it('stays stale after a killed build, and waits for the tool that outlived it', async () => {
    const workspace = await builtWorkspace();
    const { first, toolPid } = await holdingBuild(workspace);
    first.send('SIGKILL');
    await first.exit;
    workspace.builds();

    const second = workspace.start('build');
    await second.says(new RegExp(`^Process ${toolPid} is building this checkout; waiting`));
    expect(workspace.builds()).toEqual([]);
    workspace.write('go', '');
    expect((await second.exit).code).toBe(0);
    expect(workspace.builds()).toEqual(everything);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('ends its tool on %s and stays stale', async (signal) => {
    const workspace = await builtWorkspace();
    const { first, toolPid } = await holdingBuild(workspace);
    const tool = identityOf(toolPid);
    first.send(signal);
    expect(await first.exit).toEqual({ code: null, signal });
    await vi.waitUntil(() => !isAlive(tool), 60_000);
    workspace.builds();

    workspace.write('packages/z-library/src/index.js', '');
    expect((await workspace.run('build')).code).toBe(0);
    expect(workspace.builds()).toEqual(everything);
  });

  // Root writes where it likes.
  it.skipIf(process.getuid?.() === 0).each([
    ['packages/z-library/dist', /^Building library failed .*EACCES.*dist\/more\.js/s],
    ['.cache/build-lock', /^The build cannot be written: EACCES: .*build-lock.*\.\n$/],
  ])('says that it cannot write %s', async (folder, message) => {
    const workspace = await builtWorkspace();
    workspace.write('packages/z-library/src/more.js', '');
    chmodSync(workspace.path(folder), 0o555);
    const { code, stderr } = await workspace.run('start');
    chmodSync(workspace.path(folder), 0o755);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});

describe('two at once', () => {
  it('has one build, and the other wait for it with one sentence', async () => {
    const workspace = await builtWorkspace();
    const { first } = await holdingBuild(workspace);
    const second = workspace.start('start');
    await second.says(/waiting/);
    workspace.write('go', '');
    expect((await first.exit).code).toBe(0);
    expect((await second.exit).code).toBe(0);
    expect(second.stdout).toBe(
      `Process ${first.pid} is building this checkout; waiting for it to finish.\nready\n`,
    );
    expect(workspace.builds()).toEqual(everything);
  });
});

describe('what is not installed', () => {
  it('starts what is built without any build tool', async () => {
    const workspace = await builtWorkspace();
    rmSync(workspace.path('node_modules/copy-tool'), { recursive: true });
    expect(await workspace.run('start')).toEqual({ code: 0, stdout: 'ready\n', stderr: '' });
  });

  it('says that a stale package has no build tool', async () => {
    const workspace = new FixtureWorkspace();
    rmSync(workspace.path('node_modules/copy-tool'), { recursive: true });
    expect(await workspace.run('start')).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'packages/z-library has to be built and its build tool copy-tool is not installed (NODE_ENV=production leaves build tools out); run `npm ci --include=dev`.\n',
    });
  });

  it('says that nothing is installed', async () => {
    const workspace = await builtWorkspace();
    rmSync(workspace.path('node_modules'), { recursive: true });
    expect(await workspace.run('start')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'The dependencies are not installed; run `npm ci` first.\n',
    });
  });

  it('names a missing dependency of the server', async () => {
    const workspace = new FixtureWorkspace();
    workspace.write('packages/support-agent/src/main.js', `import 'web-framework/plugin';`);
    expect(await workspace.run('start')).toMatchObject({
      code: 1,
      stderr: 'The dependency web-framework is not installed; run `npm ci`.\n',
    });
  });

  it('says that Node is too old', async () => {
    const workspace = new FixtureWorkspace();
    workspace.write('package.json', '{ "type": "module", "engines": { "node": ">=99.0.0" } }');
    expect(await workspace.run('start')).toEqual({
      code: 1,
      stdout: '',
      stderr: `Holdfast needs Node 99.0.0 or newer and this is Node ${process.versions.node}; install a newer one from https://nodejs.org.\n`,
    });
  });
});
