import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../../scripts/lib/problem.mjs';
import type { AptTools } from './apt-packages.ts';
import { fromPackageCache } from './package-cache.ts';
import { probe, type RedisBinary } from './redis-binary.ts';

/** The second package holds the program; the first a link to it. */
const PACKAGES = ['redis-server', 'redis-tools'] as const;

/** The distribution's Redis. */
export async function downloadRedis(cacheFolder: string, tools: AptTools): Promise<RedisBinary> {
  try {
    const download = { packages: PACKAGES, probe: probeUnpacked };
    return await fromPackageCache(cacheFolder, tools, download);
  } catch (cause) {
    const reason = (cause as Error).message.replace(/\.$/, '');
    throw new Problem(
      `No redis-server was found, and apt could not provide one (${reason}): set REDIS_SERVER_BIN, or install it (apt-get install redis-server).`,
      { cause },
    );
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
