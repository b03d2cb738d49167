import { join } from 'node:path';
import { Problem } from '../../scripts/lib/problem.mjs';
import { repositoryRoot } from '../helpers/repository.ts';
import { findAptTools } from './apt-packages.ts';
import { downloadRedis } from './download-redis.ts';
import { onPath } from './on-path.ts';
import { probe, type RedisBinary } from './redis-binary.ts';

export interface Surroundings {
  /** Default: `REDIS_SERVER_BIN`. */
  given?: string | undefined;
  /** Where programs are looked for. Default: `PATH`. */
  path?: string | undefined;
  /** Where downloads are kept. Default: below `node_modules/.cache`. */
  cacheFolder?: string;
}

/**
 * The first that runs of `REDIS_SERVER_BIN`, `redis-server` and `valkey-server` on `PATH`, and, on
 * Debian and its kin, the distribution's own, downloaded into a cache; nothing gets installed.
 *
 * @throws {Problem} one sentence that says what to do
 */
export async function findRedisServer({
  given = process.env.REDIS_SERVER_BIN,
  path = process.env.PATH ?? '',
  cacheFolder = join(repositoryRoot, 'node_modules', '.cache', 'holdfast-redis'),
}: Surroundings = {}): Promise<RedisBinary> {
  if (given) {
    const binary = await probe(given);
    if (!(binary instanceof Error)) return binary;
    throw new Problem(`REDIS_SERVER_BIN is ${given}, which does not run (${binary.message}).`);
  }
  for (const name of ['redis-server', 'valkey-server']) {
    for (const command of onPath(name, path)) {
      const binary = await probe(command);
      if (!(binary instanceof Error)) return binary;
    }
  }
  const tools = findAptTools(path);
  if (tools !== undefined) return downloadRedis(cacheFolder, tools);
  const how = process.platform === 'darwin' ? 'brew install redis' : 'the package redis or valkey';
  throw new Problem(`No redis-server was found: set REDIS_SERVER_BIN, or install it (${how}).`);
}
