import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type RunningProcess, startProcess } from '../helpers/child-process.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { findRedisServer } from './find-redis-server.ts';
import { writeAsJavaScript } from './sources-as-javascript.ts';

const hasApt = existsSync('/usr/bin/apt-get') && existsSync('/usr/bin/dpkg');

/** A machine with apt and without Redis: the folders for its PATH and the cache. */
function machine(aptGet: string) {
  const root = temporaryFolder();
  const path = join(root, 'bin');
  mkdirSync(path);
  const script = `#!/bin/sh\nroot='${root}'\necho "$*" >> "$root/calls"\n${aptGet}\n`;
  writeFileSync(join(path, 'apt-get'), script, { mode: 0o755 });
  symlinkSync('/usr/bin/dpkg', join(path, 'dpkg'));
  writeFileSync(join(root, 'calls'), '');
  return { root, path, cacheFolder: join(root, 'cache'), given: '' };
}

type Machine = ReturnType<typeof machine>;

/** How often apt was asked for this. */
function calls({ root }: Machine, command: 'update' | 'download'): number {
  const lines = readFileSync(join(root, 'calls'), 'utf8').split('\n');
  return lines.filter((line) => line.split(' ').includes(command)).length;
}

/**
 * With an archive of its own whose Redis only knows its version. While there is a file `hold`, an
 * update does not end; if there is a file `crash`, who downloads is killed, once.
 */
function machineWithArchive(): Machine {
  const here = machine(`
    case "$*" in
      *update*) while [ -e "$root/hold" ]; do sleep 0.01; done ;;
      *download*)
        if rm "$root/crash" 2>/dev/null; then kill -9 $PPID; exit 1; fi
        cp "$root/redis.deb" 'redis-server_5%3a9.9.9-1_all.deb' ;;
    esac`);
  const content = join(here.root, 'content');
  mkdirSync(join(content, 'DEBIAN'), { recursive: true });
  writeFileSync(
    join(content, 'DEBIAN', 'control'),
    'Package: redis-server\nVersion: 5:9.9.9-1\nArchitecture: all\nMaintainer: -\nDescription: -\n',
  );
  mkdirSync(join(content, 'usr', 'bin'), { recursive: true });
  const server = join(content, 'usr', 'bin', 'redis-server');
  writeFileSync(server, `#!/bin/sh\necho 'Redis server v=9.9.9'\n`, { mode: 0o755 });
  const deb = join(here.root, 'redis.deb');
  execFileSync('/usr/bin/dpkg-deb', ['--build', content, deb], { stdio: 'ignore' });
  return here;
}

/** A process on that machine that looks for a server, then runs `body` with what it `found`. */
function startFinder(
  { root, ...surroundings }: Machine,
  { prefix = [] as string[], node = process.execPath, body = '' } = {},
): RunningProcess {
  if (!existsSync(join(root, 'tests'))) writeAsJavaScript(root);
  const module = (name: string) =>
    JSON.stringify(pathToFileURL(join(root, 'tests', 'servers', name)).href);
  const script = `
    import { findRedisServer } from ${module('find-redis-server.js')};
    import { startRedis } from ${module('redis-server.js')};
    console.log('looking');
    const found = await findRedisServer(${JSON.stringify(surroundings)});
    ${body}
    console.log('found ' + found.command);`;
  const [command = '', ...args] = [...prefix, node, '--input-type=module', '-e', script];
  return startProcess(command, args, { cwd: root, env: { HOME: root } });
}

async function commandFoundBy(finder: RunningProcess): Promise<string> {
  const [, command = ''] = await finder.says(/^found (.*)$/m);
  expect(await finder.exit).toEqual({ code: 0, signal: null });
  return command;
}

describe.skipIf(!hasApt)(`the cache of downloads${hasApt ? '' : ', which needs apt'}`, () => {
  it('holds what was unpacked, named by its version, and is all that a second look needs', async () => {
    const here = machineWithArchive();
    const found = await findRedisServer(here);
    expect(found).toMatchObject({
      command: join(here.cacheFolder, '9.9.9-1_all', 'usr', 'bin', 'redis-server'),
      version: '9.9.9',
    });
    expect(readdirSync(here.cacheFolder).sort()).toEqual(['9.9.9-1_all', 'lock']);
    expect(await findRedisServer(here)).toEqual(found);
    expect(calls(here, 'update')).toBe(1);
  });

  it('is filled once by processes that look at the same time', async () => {
    const here = machineWithArchive();
    writeFileSync(join(here.root, 'hold'), '');
    const finders = Array.from({ length: 3 }, () => startFinder(here));
    const alsoHere = [findRedisServer(here), findRedisServer(here)];
    for (const finder of finders) await finder.says(/looking/);
    rmSync(join(here.root, 'hold'));
    const commands = [
      ...(await Promise.all(finders.map(commandFoundBy))),
      ...(await Promise.all(alsoHere)).map(({ command }) => command),
    ];
    expect(new Set(commands).size).toBe(1);
    expect([calls(here, 'update'), calls(here, 'download')]).toEqual([1, 1]);
  });

  it('gets over a process that died while it downloaded, and cleans up after it', async () => {
    const here = machineWithArchive();
    writeFileSync(join(here.root, 'crash'), '');
    const finder = startFinder(here);
    expect((await finder.exit).signal).toBe('SIGKILL');
    const left = readdirSync(here.cacheFolder).filter((name) => name !== 'lock');
    expect(left).toEqual([expect.stringMatching(/^unfinished-/)]);
    await findRedisServer(here);
    expect(readdirSync(here.cacheFolder).sort()).toEqual(['9.9.9-1_all', 'lock']);
  });

  it('replaces what does not run', async () => {
    const here = machineWithArchive();
    const { command } = await findRedisServer(here);
    writeFileSync(command, '#!/bin/sh\nexit 127\n');
    expect(await findRedisServer(here)).toMatchObject({ command, version: '9.9.9' });
    expect(calls(here, 'update')).toBe(2);
  });
});

const SETPRIV = '/usr/bin/setpriv';
const REAL_APT = 'exec /usr/bin/apt-get "$@"';

/** Starts what was found, too. */
const START = `
  process.env.REDIS_SERVER_BIN = found.command;
  process.env.LD_LIBRARY_PATH = found.env.LD_LIBRARY_PATH;
  await (await startRedis()).stop();`;

describe.skipIf(!hasApt)(`a real download${hasApt ? '' : ', which needs apt'}`, () => {
  it('gives a server that runs', async ({ skip }) => {
    skip(!reachesArchive(), 'apt does not reach its archive');
    const here = machine(REAL_APT);
    const command = await commandFoundBy(startFinder(here, { body: START }));
    expect(command.startsWith(here.cacheFolder)).toBe(true);
    expect(calls(here, 'update')).toBe(1);
  });

  it('works for a user without rights, whose cache others can use', async ({ skip }) => {
    skip(process.getuid?.() !== 0, 'only root can become another user');
    skip(!existsSync(SETPRIV), 'there is no setpriv to become another user');
    skip(!reachesArchive(), 'apt does not reach its archive');
    const here = machine(REAL_APT);
    const [uid = 0, gid = 0] = ['-u', '-g'].map((which) =>
      Number(execFileSync('id', [which, 'nobody'], { encoding: 'utf8' })),
    );
    chmodSync(here.root, 0o755);
    for (const path of [here.root, join(here.root, 'calls')]) chownSync(path, uid, gid);
    // The one that runs this test may be where that user cannot go.
    const node = join(here.root, 'node');
    copyFileSync(process.execPath, node);
    const prefix = [SETPRIV, `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
    const command = await commandFoundBy(startFinder(here, { prefix, node, body: START }));
    expect(statSync(command).uid).toBe(uid);
    expect(await findRedisServer(here)).toMatchObject({ command });
    expect(calls(here, 'update')).toBe(1);
  });
});

/** Whether apt, with the system's settings and nothing of ours, gets the archive's first file. */
function reachesArchive(): boolean {
  const format = ['--format', '$(BASE_URI)InRelease', 'Created-By: Packages'];
  const uris = execFileSync('/usr/bin/apt-get', ['indextargets', ...format], { encoding: 'utf8' });
  const file = join(temporaryFolder(), 'InRelease');
  const helper = [
    '-o',
    'APT::Sandbox::User=root',
    'download-file',
    uris.split('\n')[0] ?? '',
    file,
  ];
  return spawnSync('/usr/lib/apt/apt-helper', helper, { stdio: 'ignore' }).status === 0;
}
