import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Problem } from '../../scripts/lib/problem.mjs';
import { repositoryRoot } from '../helpers/repository.ts';
import { type AptTools, findAptTools } from './apt-packages.ts';
import { withLibfaketime } from './fake-time.ts';
import { fromPackageCache } from './package-cache.ts';

export interface FaketimeSurroundings {
  /** Where installed libraries are looked for. */
  libraryFolders?: readonly string[];
  /** Where programs are looked for. Default: `PATH`. */
  path?: string | undefined;
  /** Where downloads are kept. Default: below `node_modules/.cache`. */
  cacheFolder?: string;
}

const INSTALLED = ['/usr/lib', '/usr/lib64', '/usr/local/lib'];

/**
 * The path of a `libfaketime.so.1` that works here: an installed one, or, on Debian and its kin, the
 * distribution's own, downloaded into a cache; nothing gets installed.
 *
 * @throws {Problem} one sentence that says what to do
 */
export async function findLibfaketime({
  libraryFolders = INSTALLED,
  path = process.env.PATH ?? '',
  cacheFolder = join(repositoryRoot, 'node_modules', '.cache', 'holdfast-libfaketime'),
}: FaketimeSurroundings = {}): Promise<string> {
  for (const folder of libraryFolders) {
    const installed = await firstThatWorks(folder);
    if (!(installed instanceof Error)) return installed;
  }
  const tools = findAptTools(path);
  if (tools !== undefined) return download(cacheFolder, tools);
  throw new Problem(
    'No libfaketime was found, which gives a Redis a clock of its own: install the package libfaketime, on Linux.',
  );
}

async function download(cacheFolder: string, tools: AptTools): Promise<string> {
  try {
    return await fromPackageCache(cacheFolder, tools, {
      packages: ['libfaketime'],
      probe: (root) => firstThatWorks(join(root, 'usr', 'lib')),
    });
  } catch (cause) {
    const reason = (cause as Error).message.replace(/\.$/, '');
    throw new Problem(
      `No libfaketime was found, which gives a Redis a clock of its own, and apt could not provide it (${reason}): install it (apt-get install libfaketime).`,
      { cause },
    );
  }
}

/** Distributions have it in `faketime`, in the folder of libraries or in one for an architecture. */
async function firstThatWorks(folder: string): Promise<string | Error> {
  let problem = new Error(`there is none in ${folder}`);
  for (const below of ['', ...foldersIn(folder)]) {
    const library = join(folder, below, 'faketime', 'libfaketime.so.1');
    if (!existsSync(library)) continue;
    const trouble = await probe(library);
    if (trouble === undefined) return library;
    problem = trouble;
  }
  return problem;
}

/** Asks `date`: the loader goes on without a library that it cannot load. */
async function probe(library: string): Promise<Error | undefined> {
  const day = '2030-01-02 03:04:05';
  const env = { ...withLibfaketime(process.env), FAKETIME: day, LD_PRELOAD: './libfaketime.so.1' };
  const ask = ['-u', '+%Y-%m-%d %H:%M:%S'];
  try {
    const { stdout, stderr } = await promisify(execFile)('date', ask, {
      env,
      cwd: dirname(library),
    });
    if (stdout.trim() === day) return undefined;
    return new Error(stderr.trim().split('\n')[0] || `it says "${stdout.trim()}"`);
  } catch (error) {
    return new Error((error as Error).message.split('\n')[0]);
  }
}

function foldersIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}
