import { createSessionStore } from '../../config/create-session-store.ts';
import type { Config } from '../../config/load-config.ts';
import { HoldfastError } from '../../errors/errors.ts';
import type { RedisSessionStore } from '../../redis/redis-session-store.ts';
import { onAbort } from '../../store/on-abort.ts';
import type { UnreadableSession } from '../../store/unreadable.ts';
import { checkServer } from './check-server.ts';
import { type Finding, failed, ok, skipped } from './finding.ts';

/** Sessions that are tried with the keys that there are. */
const sampleSize = 100;

/**
 * Whether the sessions on Redis can be reached, held and read; a check at a time, as they come.
 * @throws the signal's reason when that aborts
 */
export async function* checkRedis(config: Config, signal: AbortSignal): AsyncGenerator<Finding> {
  if (config.session.storeType !== 'redis') {
    yield skipped('redis', 'Not used: SESSION_STORE_TYPE is in_memory.');
    return;
  }
  const { RedisSessionStore: Store } = await import('../../redis/redis-session-store.ts');
  let store: RedisSessionStore | null = null;
  try {
    // What would be logged at the start is found below, or was found among the settings.
    const redis = { ...config.redis, l1: undefined };
    const opened = await createSessionStore({ ...config, redis, warnings: [] }, { signal });
    if (!(opened instanceof Store)) throw new TypeError('A store on Redis was expected.');
    store = opened;
  } catch (error) {
    if (signal.aborted || !(error instanceof HoldfastError)) throw error;
    yield failed('redis', error.message);
    return;
  }
  const open = store;
  const forget = onAbort(signal, () => void open.close());
  try {
    yield ok('redis', 'Reached, and its keys are of this version.');
    const servers = await store.upkeep.inspect();
    for (const server of servers) yield* checkServer(server, config);
    yield await probe(store);
    yield* await sessions(store, config);
  } catch (error) {
    if (signal.aborted || !(error instanceof HoldfastError)) throw error;
    yield failed('redis', error.message);
  } finally {
    forget();
    await store.close();
  }
}

async function probe(store: RedisSessionStore): Promise<Finding> {
  const { healthy, operations, error } = await store.healthCheck();
  if (healthy) return ok('probe', 'A value was written, read and deleted.');
  const missing = Object.entries(operations).flatMap(([name, worked]) => (worked ? [] : [name]));
  return failed('probe', error ?? `Did not work: ${missing.join(', ')}.`);
}

/** Whether the keys open the sessions that there are, and whether those are whole. */
async function sessions(store: RedisSessionStore, { encryption }: Config): Promise<Finding[]> {
  const { sessions: tried, unreadable } = await store.upkeep.tryKeys(sampleSize);
  if (tried === 0) return [ok('keys', 'There are no sessions yet that they would have to open.')];
  const damaged = unreadable.filter(({ isDamaged }) => isDamaged);
  const sealed = unreadable.filter(({ isDamaged }) => !isDamaged);
  const findings: Finding[] = [];
  if (sealed.length > 0) {
    findings.push(
      failed(
        'keys',
        `${sealed.length} of ${tried} sessions that were tried cannot be read (${some(sealed)}).`,
        encryption === undefined
          ? 'They are encrypted: set SESSION_ENCRYPTION_KEY to the key that wrote them.'
          : 'Add the key that wrote them behind the others of SESSION_ENCRYPTION_KEY; plain ones are read with SESSION_ENCRYPTION_ALLOW_PLAINTEXT=true.',
      ),
    );
  } else if (damaged.length === tried) {
    findings.push(skipped('keys', 'No session is whole that they would have to open.'));
  } else {
    const read = tried - damaged.length;
    findings.push(ok('keys', `${read} of ${tried} sessions that were tried can be read.`));
  }
  const [first] = damaged;
  if (first !== undefined) {
    findings.push(
      failed(
        'damage',
        `${damaged.length} of ${tried} sessions that were tried are damaged, which is no matter of keys (${some(damaged)}).`,
        `\`holdfast sessions list\` says why of each. ${first.remedy}`,
      ),
    );
  }
  return findings;
}

function some(unreadable: readonly UnreadableSession[]): string {
  return unreadable
    .slice(0, 3)
    .map(({ id }) => id)
    .join(' ');
}
