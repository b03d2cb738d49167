import type { Config } from '../../config/load-config.ts';
import type { ServerInspection } from '../../redis/upkeep/inspection.ts';
import { bytes } from '../text.ts';
import { type Finding, failed, ok, warning } from './finding.ts';

/** From here on two round trips a turn are felt, in ms. */
const slowMs = 5;
const maxSkewMs = 1_000;
/** More than this is lost with a primary that is cut off, though writes need a replica. */
const maxLagSeconds = 3;
/** Of maxmemory: a full server refuses writes. */
const nearlyFull = 0.9;

/** How one server is set up for sessions. */
export function checkServer(server: ServerInspection, config: Config): Finding[] {
  return [
    ok('version', `${server.version ?? 'unknown'} at ${server.address}.`),
    memory(server),
    persistence(server),
    latency(server),
    clock(server),
    scripts(server),
    replicas(server, config),
    ...cluster(server),
  ];
}

function memory({ maxmemoryPolicy, maxmemoryBytes, usedMemoryBytes }: ServerInspection): Finding {
  if (maxmemoryPolicy === undefined) return unknown('memory', 'INFO memory');
  const limit = maxmemoryBytes ?? 0;
  const used = usedMemoryBytes ?? 0;
  const remedy = 'In redis.conf: maxmemory-policy noeviction.';
  if (maxmemoryPolicy !== 'noeviction') {
    const message = `maxmemory-policy is ${maxmemoryPolicy}: sessions and leases vanish when memory is full.`;
    return limit > 0 ? failed('memory', message, remedy) : warning('memory', message, remedy);
  }
  if (limit > 0 && used > limit * nearlyFull) {
    return warning(
      'memory',
      `${bytes(used)} of ${bytes(limit)} are used: a full server refuses every message.`,
      'Raise maxmemory, or keep less: SESSION_TIMEOUT_MINUTES, SESSION_MAX_MESSAGES.',
    );
  }
  return ok(
    'memory',
    `${bytes(used)}${limit > 0 ? ` of ${bytes(limit)}` : ''}, nothing is evicted.`,
  );
}

function persistence({ appendOnly, savePoints }: ServerInspection): Finding {
  if (appendOnly === undefined) return unknown('disk', 'INFO persistence');
  if (appendOnly) return ok('disk', 'Writes go to an append-only file.');
  if (savePoints !== false) {
    return warning(
      'disk',
      'Only snapshots go to disk: a crash loses what came since the last one.',
      'In redis.conf: appendonly yes.',
    );
  }
  return warning(
    'disk',
    'Nothing goes to disk: a restart loses every session.',
    'In redis.conf: appendonly yes.',
  );
}

function latency({ latencyMs: { median, longest } }: ServerInspection): Finding {
  const message = `A round trip takes ${median.toFixed(2)} ms, the longest of 20 took ${longest.toFixed(2)} ms.`;
  if (median < slowMs) return ok('latency', message);
  return warning('latency', message, 'A turn takes two: put the server nearer to Redis.');
}

function clock({ clock: { aheadMs, errorMs } }: ServerInspection): Finding {
  const apart = `${Math.abs(aheadMs).toFixed(0)} ms ${aheadMs < 0 ? 'behind' : 'ahead of'} this machine's`;
  if (Math.abs(aheadMs) - errorMs <= maxSkewMs) return ok('clock', `Redis's is ${apart}.`);
  return warning(
    'clock',
    `Redis's is ${apart}. Sessions end by Redis's clock, and logs have this one's times.`,
    'Let both keep time by NTP.',
  );
}

function scripts({ missingScripts }: ServerInspection): Finding {
  if (missingScripts.length === 0) return ok('scripts', 'All are loaded.');
  return failed(
    'scripts',
    `Not loaded: ${missingScripts.join(', ')}.`,
    "Let Redis's user use SCRIPT, EVALSHA and EVAL (an ACL may forbid them).",
  );
}

function replicas(
  { replicas: count, minReplicasToWrite, minReplicasMaxLagSeconds: lag }: ServerInspection,
  { redis }: Config,
): Finding {
  if (count === undefined) return unknown('replicas', 'INFO replication');
  if (minReplicasToWrite !== undefined && minReplicasToWrite > count) {
    return failed(
      'replicas',
      `${count === 0 ? 'None' : count}; without ${minReplicasToWrite} the server refuses every write (min-replicas-to-write).`,
      'Attach replicas, or lower min-replicas-to-write to fewer than there are.',
    );
  }
  if (redis.durability === 'replicated' && count === 0) {
    return failed(
      'replicas',
      'SESSION_DURABILITY is replicated, and there is no replica: every commit fails with OUTCOME_UNKNOWN.',
      'Attach a replica, or set SESSION_DURABILITY=async.',
    );
  }
  if (count === 0) {
    if (redis.sentinel === undefined && redis.cluster === undefined) return ok('replicas', 'None.');
    return warning(
      'replicas',
      'None: while this primary is away nobody takes over, and its sessions wait.',
      'Give each primary a replica on another machine.',
    );
  }
  if (minReplicasToWrite === 0) {
    return warning(
      'replicas',
      `${count}; but a primary that is cut off from them goes on taking writes that are lost later.`,
      'In redis.conf: min-replicas-to-write 1 and min-replicas-max-lag 1.',
    );
  }
  if (lag !== undefined && (lag === 0 || lag > maxLagSeconds)) {
    const message =
      lag === 0
        ? `${count}; but with min-replicas-max-lag 0 writes do not need any of them.`
        : `${count}; but a primary that is cut off from them goes on taking writes for ${lag} s that are lost later.`;
    return warning('replicas', message, 'In redis.conf: min-replicas-max-lag 1.');
  }
  // One fewer follows a replica that has taken over.
  const spare = count === minReplicasToWrite ? ', as when one is away or has taken over' : '';
  return ok(
    'replicas',
    `${count}; without ${minReplicasToWrite ?? 'some'} nothing is written${spare}.`,
  );
}

/** What a cluster's node does while others are away. */
function cluster({ cluster: node }: ServerInspection): Finding[] {
  if (node === undefined) return [];
  const findings: Finding[] = [];
  if (node.needsAllSlots === true) {
    findings.push(
      warning(
        'cluster',
        'While one primary has no successor, all of them refuse their sessions (cluster-require-full-coverage yes).',
        'In redis.conf: cluster-require-full-coverage no.',
      ),
    );
  }
  if (node.readsWhenDown === true) {
    findings.push(
      warning(
        'cluster',
        'A primary that is cut off from the others goes on answering reads (cluster-allow-reads-when-down yes): a token that was revoked meanwhile is still taken there.',
        'In redis.conf: cluster-allow-reads-when-down no.',
      ),
    );
  }
  if (findings.length > 0) return findings;
  if (node.needsAllSlots === undefined) return [unknown('cluster', 'CONFIG GET')];
  return [ok('cluster', 'Each primary answers for its own sessions, whichever others are away.')];
}

function unknown(check: string, command: string): Finding {
  return {
    ...{ check, status: 'skipped' },
    message: `Redis's user may not ask (${command}).`,
  };
}
