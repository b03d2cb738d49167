import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Problem } from '../../scripts/lib/problem.mjs';
import { ProcessLock } from '../../scripts/lib/process-lock.mjs';
import { type AptTools, downloadPackages, unpackPackages } from './apt-packages.ts';
import { probe, type RedisBinary } from './redis-binary.ts';

/** The second holds the program; the first a link to it. */
const PACKAGES = ['redis-server', 'redis-tools'];
const LOCK = 'lock';
const UNFINISHED = 'unfinished-';

/**
 * The distribution's Redis from the cache, or from its archive into the cache. A version appears
 * there whole, by a rename; of several processes one downloads and the others wait for it.
 */
export async function downloadRedis(cacheFolder: string, tools: AptTools): Promise<RedisBinary> {
  const cached = await cachedRedis(cacheFolder);
  if (cached !== undefined) return cached;
  try {
    mkdirSync(cacheFolder, { recursive: true });
    const lock = await ProcessLock.acquire(join(cacheFolder, LOCK), () => {});
    try {
      return (await cachedRedis(cacheFolder)) ?? (await fetchRedis(cacheFolder, tools));
    } finally {
      lock.release();
    }
  } catch (cause) {
    const reason = (cause as Error).message.replace(/\.$/, '');
    throw new Problem(
      `No redis-server was found, and apt could not provide one (${reason}): set REDIS_SERVER_BIN, or install it (apt-get install redis-server).`,
      { cause },
    );
  }
}

/** One that runs here: several systems may share the folder. */
async function cachedRedis(cacheFolder: string): Promise<RedisBinary | undefined> {
  for (const name of namesIn(cacheFolder)) {
    if (name === LOCK || name.startsWith(UNFINISHED)) continue;
    const binary = await probeUnpacked(join(cacheFolder, name));
    if (!(binary instanceof Error)) return binary;
  }
  return undefined;
}

/** Only the lock's holder comes here, so what is unfinished was left by a process that died. */
async function fetchRedis(cacheFolder: string, tools: AptTools): Promise<RedisBinary> {
  for (const name of namesIn(cacheFolder)) {
    if (name.startsWith(UNFINISHED)) rmSync(join(cacheFolder, name), { recursive: true });
  }
  const work = mkdtempSync(join(cacheFolder, UNFINISHED));
  try {
    const packages = await downloadPackages(tools, PACKAGES, work);
    const root = join(work, 'root');
    await unpackPackages(tools, packages, root);
    const unpacked = await probeUnpacked(root);
    if (unpacked instanceof Error) throw unpacked;
    const target = join(cacheFolder, versionOf(packages));
    // There is none that runs.
    rmSync(target, { recursive: true, force: true });
    renameSync(root, target);
    const binary = await probeUnpacked(target);
    if (binary instanceof Error) throw binary;
    return binary;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function probeUnpacked(root: string): Promise<RedisBinary | Error> {
  const folders = ['lib', 'usr/lib'].flatMap((name) => libraryFolders(join(root, name)));
  const inherited = process.env.LD_LIBRARY_PATH;
  return probe(join(root, 'usr', 'bin', 'redis-server'), {
    ...process.env,
    LD_LIBRARY_PATH: [...folders, ...(inherited ? [inherited] : [])].join(':'),
  });
}

function libraryFolders(root: string): string[] {
  if (!existsSync(root)) return [];
  const libraries = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter(({ name }) => /\.so(\.|$)/.test(name))
    .map(({ parentPath }) => parentPath);
  return [...new Set(libraries)];
}

/** Such as `7.0.15-1~deb12u10_amd64`. */
function versionOf(packages: readonly string[]): string {
  for (const file of packages) {
    const version = /\/redis-server_(?:\d+%3a)?(.+)\.deb$/.exec(file)?.[1];
    if (version !== undefined) return version;
  }
  throw new Error(`no redis-server in ${dirname(packages[0] ?? '')}`);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
