import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ProcessLock } from '../../scripts/lib/process-lock.mjs';
import { type AptTools, downloadPackages, unpackPackages } from './apt-packages.ts';

/** Something of the distribution's that can be used from where it was unpacked. */
export interface Download<Found> {
  /** The first one names the version. */
  packages: readonly [string, ...string[]];
  /** What is in this folder, or why it is of no use here: several systems may share a cache. */
  probe(root: string): Promise<Found | Error>;
}

const LOCK = 'lock';
const UNFINISHED = 'unfinished-';

/**
 * The download from the cache, or from the distribution's archive into the cache. A version appears
 * there whole, by a rename; of several processes one downloads and the others wait for it.
 */
export async function fromPackageCache<Found>(
  cacheFolder: string,
  tools: AptTools,
  download: Download<Found>,
): Promise<Found> {
  const cached = await inCache(cacheFolder, download);
  if (cached !== undefined) return cached;
  mkdirSync(cacheFolder, { recursive: true });
  const lock = await ProcessLock.acquire(join(cacheFolder, LOCK), () => {});
  try {
    return (await inCache(cacheFolder, download)) ?? (await fetch(cacheFolder, tools, download));
  } finally {
    lock.release();
  }
}

async function inCache<Found>(
  cacheFolder: string,
  { probe }: Download<Found>,
): Promise<Found | undefined> {
  for (const name of namesIn(cacheFolder)) {
    if (name === LOCK || name.startsWith(UNFINISHED)) continue;
    const found = await probe(join(cacheFolder, name));
    if (!(found instanceof Error)) return found;
  }
  return undefined;
}

/** Only the lock's holder comes here, so what is unfinished was left by a process that died. */
async function fetch<Found>(
  cacheFolder: string,
  tools: AptTools,
  { packages, probe }: Download<Found>,
): Promise<Found> {
  for (const name of namesIn(cacheFolder)) {
    if (name.startsWith(UNFINISHED)) rmSync(join(cacheFolder, name), { recursive: true });
  }
  const work = mkdtempSync(join(cacheFolder, UNFINISHED));
  try {
    const files = await downloadPackages(tools, packages, work);
    const root = join(work, 'root');
    await unpackPackages(tools, files, root);
    const unpacked = await probe(root);
    if (unpacked instanceof Error) throw unpacked;
    const target = join(cacheFolder, versionOf(packages[0], files));
    // There is none that runs.
    rmSync(target, { recursive: true, force: true });
    renameSync(root, target);
    const found = await probe(target);
    if (found instanceof Error) throw found;
    return found;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Such as `7.0.15-1~deb12u10_amd64`. */
function versionOf(name: string, files: readonly string[]): string {
  for (const file of files) {
    const [, version] = /_(?:\d+%3a)?([^/]+)\.deb$/.exec(file) ?? [];
    if (file.includes(`/${name}_`) && version !== undefined) return version;
  }
  throw new Error(`no ${name} in ${dirname(files[0] ?? '')}`);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
