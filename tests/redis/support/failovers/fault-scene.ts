import { randomBytes, randomUUID } from 'node:crypto';
import { loadavg } from 'node:os';
import { expect } from 'vitest';
import { slotOf } from '../../../../packages/holdfast/src/lib/redis/connection/routes/cluster-slots.ts';
import type { Durability } from '../../../../packages/holdfast/src/lib/redis/core/replicas.ts';
import { Keys } from '../../../../packages/holdfast/src/lib/redis/layout/keys.ts';
import { ServerOnRedis } from '../../../server/server-on-redis.ts';
import { FailoverLedger } from './failover-ledger.ts';
import { Outages, type Shard } from './outages.ts';

const sessionCount = 24;
/** What a new namespace has unless told otherwise. */
const buckets = 256;
const leaseSeconds = 3;
/** What the servers of Redis may be away is followed by a lease that is lost with them, and by this; in ms. */
const graceMs = 2_000;

/**
 * Two servers, each a process of its own, with customers at both while something happens to Redis.
 *
 * @param topology where Redis is, for each of the two
 * @param shards its servers
 */
export async function faultScene(
  durability: Durability,
  topology: readonly [Record<string, string>, Record<string, string>],
  shards: readonly Shard[],
) {
  const prefix = `faults:${randomUUID()}:`;
  const env = {
    SESSION_DURABILITY: durability,
    REDIS_SESSION_KEY_PREFIX: prefix,
    SESSION_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    SESSION_LOCK_TIMEOUT_SECONDS: String(leaseSeconds),
    SESSION_MAX_MESSAGES: '100000',
    REDIS_SOCKET_CONNECT_TIMEOUT: '60',
    LOG_LEVEL: 'fatal',
  };
  const servers = await Promise.all(
    topology.map((place) => ServerOnRedis.start('redis://redis', { ...env, ...place })),
  );
  const ledger = await FailoverLedger.start(servers, sessionCount);
  await ledger.more();
  const outages = new Outages(durability, shards);
  const keys = new Keys(prefix, buckets);
  const slotOfSession = (id: string) => slotOf(keys.session(id)[0]);

  /** Of each answered message how long it took from its beginning or the fault on, and how long it may have taken. */
  const waits = () =>
    ledger.acknowledged.map(({ from, to, sessionId, refusals }) => {
      const met = outages.met(from, to, slotOfSession(sessionId));
      const struck = Math.min(to, ...met.map((outage) => outage.from));
      const outageMs = met.reduce((sum, outage) => sum + outage.to - outage.from, 0);
      return {
        waitedMs: to - Math.max(from, met.length > 0 ? struck : from),
        boundMs: leaseSeconds * 1_000 + outageMs + graceMs,
        ...{ outageMs, refusals },
      };
    });

  /**
   * Ends it, and looks at what is stored and at how long each message took: no session is stuck for longer than its
   * lease, what the servers of Redis were away, and a grace.
   *
   * @returns how many answered messages are missing, or their answers
   */
  const finish = async () => {
    const lost = await ledger.finish();
    await outages.end();
    const all = waits();
    const slowest = Math.max(...all.map(({ waitedMs }) => waitedMs));
    const least = Math.min(...all.map(({ waitedMs, boundMs }) => boundMs - waitedMs));
    const away = outages.all.map(({ from, to }) => seconds(to - from)).join(', ');
    console.log(
      `${durability}: ${lost} of ${all.length} lost; Redis away for ${away || '0 s'}; the slowest took ${seconds(slowest)}, ` +
        `at least ${seconds(least)} less than it may; met ${JSON.stringify([...ledger.errors])}; load ${loadavg()[0]?.toFixed(1)}`,
    );
    expect(all.filter(({ waitedMs, boundMs }) => waitedMs > boundMs)).toEqual([]);
    return lost;
  };
  /** Where the first customer's session is. */
  const slot = slotOfSession(await ledger.sessionId());
  return { slot, ledger, outages, finish };
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
