import { randomBytes, randomUUID } from 'node:crypto';
import { slotOf } from '../../../packages/holdfast/src/lib/redis/connection/cluster-slots.ts';
import { Keys } from '../../../packages/holdfast/src/lib/redis/keys.ts';
import type { Durability } from '../../../packages/holdfast/src/lib/redis/redis-options.ts';
import { ServerOnRedis } from '../../server/server-on-redis.ts';
import { FailoverLedger } from './failover-ledger.ts';

const sessionCount = 24;
/** What a new namespace has unless told otherwise. */
const buckets = 256;

/**
 * Two servers, each a process of its own, with customers at both while something happens to Redis.
 *
 * @param topology where Redis is, for each of the two
 */
export async function faultScene(
  durability: Durability,
  topology: readonly [Record<string, string>, Record<string, string>],
) {
  const prefix = `faults:${randomUUID()}:`;
  const env = {
    SESSION_DURABILITY: durability,
    REDIS_SESSION_KEY_PREFIX: prefix,
    SESSION_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    SESSION_LOCK_TIMEOUT_SECONDS: '3',
    SESSION_MAX_MESSAGES: '100000',
    REDIS_SOCKET_CONNECT_TIMEOUT: '60',
    LOG_LEVEL: 'fatal',
  };
  const servers = await Promise.all(
    topology.map((place) => ServerOnRedis.start('redis://redis', { ...env, ...place })),
  );
  const ledger = await FailoverLedger.start(servers, sessionCount);
  await ledger.more();
  /** @returns how many answered messages are missing, or their answers */
  const finish = async () => {
    const lost = await ledger.finish();
    const { acknowledged, errors, slowestMs } = ledger;
    const slowest = `${(slowestMs / 1000).toFixed(1)} s`;
    const met = JSON.stringify([...errors]);
    console.log(
      `${durability}: ${lost} of ${acknowledged.length} lost; the slowest took ${slowest}; met ${met}`,
    );
    return lost;
  };
  /** Where the first customer's session is. */
  const slot = slotOf(new Keys(prefix, buckets).session(await ledger.sessionId())[0]);
  return { slot, ledger, finish };
}
