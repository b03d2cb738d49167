import { ConfigError } from '../../../errors/errors.ts';
import type { Logger } from '../../../store/emitter.ts';
import type { RedisReply } from '../redis-connection.ts';
import type { RedisLink } from './redis-link.ts';
import { allowed, serverInfo } from './server-info.ts';

type Persistence = 'none' | 'rdb' | 'aof' | 'rdb+aof' | 'unknown';

export interface ServerFacts {
  readonly version: string;
  readonly software: 'redis' | 'valkey';
  readonly mode: string;
  /** Undefined where the user may not ask. */
  readonly maxmemoryPolicy: string | undefined;
  readonly persistence: Persistence;
}

const oldest = [6, 2] as const;
/** The first with sharded channels. */
const oldestInCluster = [7, 0] as const;

/** What the settings say that the server is a part of. */
type Expected = 'single' | 'sentinel' | 'cluster';

/**
 * Looks at what the server is and how it is set up, and warns of what would lose sessions. A user
 * who may not ask for some of it gets no answer to that, and no error.
 *
 * @throws ConfigError for a server that cannot hold sessions: too old, a replica, a Cluster's node,
 *   a Sentinel
 */
export async function checkServer(
  link: Pick<RedisLink, 'address' | 'command'>,
  logger: Logger,
  expected: Expected = 'single',
): Promise<ServerFacts> {
  const [hello, replication, memory, disk, policy, save] = await Promise.all([
    link.command(['HELLO']).then(pairs),
    serverInfo(link, 'replication'),
    serverInfo(link, 'memory'),
    serverInfo(link, 'persistence'),
    setting(link, 'maxmemory-policy'),
    setting(link, 'save'),
  ]);
  const address = link.address.display;
  const version = hello.get('version') ?? 'unknown';
  const mode = hello.get('mode') ?? 'unknown';
  refuse(address, { version, mode, role: hello.get('role') ?? '', replication }, expected);

  const facts: ServerFacts = {
    version,
    software: hello.get('server') === 'valkey' ? 'valkey' : 'redis',
    mode,
    maxmemoryPolicy: policy ?? memory.get('maxmemory_policy'),
    persistence: persistenceOf(disk.get('aof_enabled'), save),
  };
  logger.info({ address, ...facts }, 'Redis is ready');
  warn(logger, address, facts, memory.get('maxmemory'));
  return facts;
}

function refuse(
  address: string,
  server: { version: string; mode: string; role: string; replication: ReadonlyMap<string, string> },
  expected: Expected,
): void {
  const [major = 0, minor = 0] = server.version.split('.').map(Number);
  const needed = expected === 'cluster' ? oldestInCluster : oldest;
  if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
    throw new ConfigError(
      `Redis at ${address} is version ${server.version}: use ${needed.join('.')} or newer, or Valkey.`,
    );
  }
  if (server.mode === 'cluster' && expected !== 'cluster') {
    throw new ConfigError(
      `Redis at ${address} is a node of a Cluster: name some of its nodes in REDIS_CLUSTER_NODES, or point REDIS_URL at a server without cluster-enabled.`,
    );
  }
  if (server.mode === 'sentinel') {
    throw new ConfigError(
      `Redis at ${address} is a Sentinel, which holds no data: name it in REDIS_SENTINEL_NODES, or point REDIS_URL at the primary.`,
    );
  }
  if (server.role === 'replica' || server.role === 'slave') {
    const host = server.replication.get('master_host');
    const port = server.replication.get('master_port');
    const primary = host === undefined ? 'its primary' : `its primary, ${host}:${port}`;
    throw new ConfigError(
      `Redis at ${address} is a read-only replica: point REDIS_URL at ${primary}.`,
    );
  }
}

function warn(
  logger: Logger,
  address: string,
  { maxmemoryPolicy, persistence }: ServerFacts,
  maxmemory: string | undefined,
): void {
  if (maxmemoryPolicy !== undefined && maxmemoryPolicy !== 'noeviction') {
    const when = maxmemory === '0' ? 'once maxmemory is set' : 'when its memory is full';
    logger.warn(
      { address, maxmemoryPolicy, maxmemory },
      `Redis drops sessions and leases ${when} (maxmemory-policy ${maxmemoryPolicy}): set maxmemory-policy noeviction`,
    );
  }
  if (persistence === 'none') {
    logger.warn(
      { address },
      'Redis keeps nothing on disk: its restart loses every session. Set appendonly yes, or save points',
    );
  }
}

function persistenceOf(aofEnabled: string | undefined, save: string | undefined): Persistence {
  if (aofEnabled === '1') return save ? 'rdb+aof' : 'aof';
  if (save === undefined || aofEnabled === undefined) return 'unknown';
  return save === '' ? 'none' : 'rdb';
}

export async function setting(
  link: Pick<RedisLink, 'command'>,
  name: string,
): Promise<string | undefined> {
  const reply = await allowed(link, ['CONFIG', 'GET', name]);
  return reply === undefined ? undefined : pairs(reply).get(name);
}

/** A map of strings; what has other values is left out. */
function pairs(reply: RedisReply): Map<string, string> {
  const map = new Map<string, string>();
  if (!Array.isArray(reply)) return map;
  for (let at = 0; at + 1 < reply.length; at += 2) {
    const [key, value] = [reply[at], reply[at + 1]];
    if (Buffer.isBuffer(key) && Buffer.isBuffer(value)) map.set(key.toString(), value.toString());
  }
  return map;
}
