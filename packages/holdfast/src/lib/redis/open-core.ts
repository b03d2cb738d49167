import { jsonCodec } from '../codec/codec.ts';
import { onAbort } from '../store/on-abort.ts';
import { resolveStoreOptions } from '../store/store-options.ts';
import { connectNodeRedis } from './connection/client/node-redis.ts';
import { RedisLink } from './connection/link/redis-link.ts';
import { checkServer } from './connection/link/server-check.ts';
import { RedisCore } from './core/redis-core.ts';
import { Keys } from './layout/keys.ts';
import { openNamespace } from './layout/namespace.ts';
import { type RedisSessionStoreOptions, resolveRedisOptions } from './redis-options.ts';
import { scripts } from './scripts/scripts.ts';

/** What there is when a store is connected. */
export interface OpenCore<Metadata extends object> {
  readonly core: RedisCore<Metadata>;
  /** Live output is written at most this often, in ms. */
  readonly outputIntervalMs: number;
}

/**
 * Connects, checks that the server and what it holds fit, and hands over what there is then. Where one
 * of them fails, `begin` included, nothing stays open.
 *
 * @throws ConfigError, StoreUnavailableError, what `begin` throws; the reason of `signal` when that aborts
 */
export async function openCore<Metadata extends object, MetadataInput extends object, Store>(
  options: RedisSessionStoreOptions<Metadata, MetadataInput>,
  begin: (open: OpenCore<Metadata>) => Promise<Store>,
): Promise<Store> {
  const resolved = resolveStoreOptions<Metadata>(options);
  const { address, topology, keyPrefix, outputIntervalMs, l1, ...own } = resolveRedisOptions(
    options as RedisSessionStoreOptions<never, never>,
  );
  const link = await RedisLink.open({
    address,
    topology,
    connect: options.connect ?? connectNodeRedis,
    timeoutMs: own.timeoutMs,
    connectTimeoutMs: own.connectTimeoutMs,
    retries: own.retries,
    scripts: Object.values(scripts),
    logger: resolved.logger,
    signal: options.signal,
  });
  const forget = onAbort(options.signal, () => void link.close());
  try {
    const kind = topology?.kind ?? 'single';
    await Promise.all(link.servers().map((server) => checkServer(server, resolved.logger, kind)));
    const buckets = await openNamespace(link, keyPrefix, own.buckets);
    const core = new RedisCore<Metadata>(resolved, {
      link,
      keys: new Keys(keyPrefix, buckets, link.isSharded),
      codec: options.codec ?? jsonCodec,
      l1,
      durability: own.durability,
    });
    const store = await begin({ core, outputIntervalMs });
    options.signal?.throwIfAborted();
    return store;
  } catch (error) {
    await link.close();
    throw options.signal?.aborted ? options.signal.reason : error;
  } finally {
    forget();
  }
}
