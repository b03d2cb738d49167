import type { RedisLink } from '../connection/link/redis-link.ts';
import { setting } from '../connection/link/server-check.ts';
import { allowed, serverInfo } from '../connection/link/server-info.ts';
import { scripts } from '../scripts/scripts.ts';

/** How a server is set up, and how it does. Undefined is what its user may not ask. */
export interface ServerInspection {
  readonly address: string;
  readonly version: string | undefined;
  readonly maxmemoryPolicy: string | undefined;
  readonly maxmemoryBytes: number | undefined;
  readonly usedMemoryBytes: number | undefined;
  readonly appendOnly: boolean | undefined;
  readonly savePoints: boolean | undefined;
  readonly replicas: number | undefined;
  readonly minReplicasToWrite: number | undefined;
  /** So long a replica may be silent and still count as one that writes need, in seconds. */
  readonly minReplicasMaxLagSeconds: number | undefined;
  /** Of a cluster's node: whether it refuses all when any slot has no server, and reads while it is cut off. */
  readonly cluster:
    | { readonly needsAllSlots: boolean | undefined; readonly readsWhenDown: boolean | undefined }
    | undefined;
  /** Half of the round trips took no longer, in ms; and the longest one of them. */
  readonly latencyMs: { readonly median: number; readonly longest: number };
  /** How far its clock is ahead of this process's, in ms, and by how much that may be wrong. */
  readonly clock: { readonly aheadMs: number; readonly errorMs: number };
  /** Names of scripts that it does not have. */
  readonly missingScripts: readonly string[];
}

type Server = Pick<RedisLink, 'address' | 'command'>;

const rounds = 20;

/** Looks at each server that takes writes. */
export function inspectServers(link: RedisLink): Promise<readonly ServerInspection[]> {
  return Promise.all(link.servers().map(inspect));
}

async function inspect(server: Server): Promise<ServerInspection> {
  const { latencyMs, clock } = await timed(server);
  const [about, memory, disk, replication, ...settings] = await Promise.all([
    serverInfo(server, 'server'),
    serverInfo(server, 'memory'),
    serverInfo(server, 'persistence'),
    serverInfo(server, 'replication'),
    setting(server, 'save'),
    setting(server, 'min-replicas-to-write'),
    setting(server, 'min-replicas-max-lag'),
    setting(server, 'cluster-require-full-coverage'),
    setting(server, 'cluster-allow-reads-when-down'),
  ]);
  const [save, minReplicas, maxLag, needsAllSlots, readsWhenDown] = settings;
  const hashes = Object.values(scripts).map(({ sha1 }) => sha1);
  const known = await allowed(server, ['SCRIPT', 'EXISTS', ...hashes]);
  const aof = disk.get('aof_enabled');
  return {
    address: server.address.display,
    version: about.get('valkey_version') ?? about.get('redis_version'),
    maxmemoryPolicy: memory.get('maxmemory_policy'),
    maxmemoryBytes: number(memory.get('maxmemory')),
    usedMemoryBytes: number(memory.get('used_memory')),
    appendOnly: aof === undefined ? undefined : aof === '1',
    savePoints: save === undefined ? undefined : save !== '',
    replicas: number(replication.get('connected_slaves')),
    minReplicasToWrite: number(minReplicas),
    minReplicasMaxLagSeconds: number(maxLag),
    cluster:
      about.get('redis_mode') === 'cluster' || about.get('server_mode') === 'cluster'
        ? { needsAllSlots: flag(needsAllSlots), readsWhenDown: flag(readsWhenDown) }
        : undefined,
    latencyMs,
    clock,
    missingScripts: Object.values(scripts)
      .filter((_, at) => Array.isArray(known) && known[at] === 0)
      .map(({ name }) => name),
  };
}

/** By TIME: of the shortest round trip the server's clock is known best (RFC 5905, section 8). */
async function timed(server: Server) {
  const trips: { tripMs: number; aheadMs: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const [began, from] = [Date.now(), performance.now()];
    const reply = await server.command(['TIME']);
    const tripMs = performance.now() - from;
    const [seconds, micros] = (reply as readonly Buffer[]).map(Number);
    const serverMs = (seconds ?? 0) * 1000 + (micros ?? 0) / 1000;
    trips.push({ tripMs, aheadMs: serverMs - (began + tripMs / 2) });
  }
  trips.sort((one, other) => one.tripMs - other.tripMs);
  const [best] = trips;
  return {
    latencyMs: {
      median: trips[rounds / 2]?.tripMs ?? 0,
      longest: trips.at(-1)?.tripMs ?? 0,
    },
    clock: { aheadMs: best?.aheadMs ?? 0, errorMs: (best?.tripMs ?? 0) / 2 },
  };
}

function flag(text: string | undefined): boolean | undefined {
  return text === undefined ? undefined : text === 'yes';
}

function number(text: string | undefined): number | undefined {
  return text === undefined || text === '' ? undefined : Number(text);
}
