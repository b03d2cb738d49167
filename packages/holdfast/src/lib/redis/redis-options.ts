import type { Codec } from '../codec/codec.ts';
import { ConfigError } from '../errors/errors.ts';
import type { JsonObject } from '../json/json-value.ts';
import type { StoreOptions } from '../store/store-options.ts';
import { maxDurationMs, whole } from '../store/store-options.ts';
import { type Password, RedisAddress, type RedisTls } from './connection/redis-address.ts';
import type { ConnectRedis } from './connection/redis-connection.ts';
import { type Topology, type TopologyOptions, topologyOf } from './connection/routes/topology.ts';
import type { Durability } from './core/replicas.ts';
import type { L1Options } from './l1/l1-cache.ts';
export interface RedisSessionStoreOptions<
  Metadata extends object = JsonObject,
  MetadataInput extends object = Metadata,
> extends StoreOptions<Metadata, MetadataInput>,
    TopologyOptions {
  /** `redis://` or `rediss://` (TLS) `[user[:password]@]host[:port][/database]`. */
  readonly url: string;
  /** Used where the URL has none. */
  readonly username?: string | undefined;
  /** Used where the URL has none; a function is asked at each connection. */
  readonly password?: Password | undefined;
  /** For a `rediss://` URL. */
  readonly tls?: RedisTls | undefined;
  /**
   * `replicated`: a write is acknowledged when a replica has it, too, and otherwise fails with
   * `OutcomeUnknownError`. Default `async`; then only deletions and changes of tokens wait for a
   * replica, where there is one.
   */
  readonly durability?: Durability | undefined;
  /** The beginning of every key. Default `agent:session:`. */
  readonly keyPrefix?: string | undefined;
  /**
   * Into how many buckets a new namespace (one prefix in one database) is divided, 1 to 16,384. An
   * existing namespace keeps its own. Default 256.
   */
  readonly buckets?: number | undefined;
  /** For all attempts of one operation, in milliseconds, 100 to 600,000. Default 5,000. */
  readonly timeoutMs?: number | undefined;
  /** For the first connection, in milliseconds, 100 to 600,000. Default 5,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** How often an operation is repeated whose reply was lost, 0 to 10. Default 3. */
  readonly retries?: number | undefined;
  /** Live output is written at most this often, in milliseconds. Default 50. */
  readonly outputIntervalMs?: number | undefined;
  /** Sessions kept in this process, for `get` without a round trip. None unless given. */
  readonly l1?: Partial<L1Options> | undefined;
  /** How values are stored. All instances must use the same. Default: as JSON. */
  readonly codec?: Codec | undefined;
  /** Another client than the `redis` package. */
  readonly connect?: ConnectRedis | undefined;
  /** Gives up connecting when it aborts; afterwards it means nothing. */
  readonly signal?: AbortSignal | undefined;
}

export interface ResolvedRedisOptions {
  readonly address: RedisAddress;
  readonly topology: Topology | undefined;
  readonly durability: Durability;
  readonly keyPrefix: string;
  readonly buckets: number;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly retries: number;
  readonly outputIntervalMs: number;
  readonly l1: L1Options | null;
}

export const keyPrefixPattern = /^[A-Za-z0-9._:@/-]{0,128}$/;

/** @throws ConfigError for a value out of its range. */
export function resolveRedisOptions(
  options: RedisSessionStoreOptions<never, never>,
): ResolvedRedisOptions {
  const { url, username, password, tls, keyPrefix = 'agent:session:' } = options;
  if (!keyPrefixPattern.test(keyPrefix)) {
    throw new ConfigError('keyPrefix must be at most 128 characters of A-Z a-z 0-9 . _ : @ / -.');
  }
  const { durability = 'async' } = options;
  if (durability !== 'async' && durability !== 'replicated') {
    throw new ConfigError(`durability must be async or replicated, not ${String(durability)}.`);
  }
  const address = new RedisAddress({
    url,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
  });
  return {
    address,
    topology: topologyOf(options, address),
    durability,
    keyPrefix,
    buckets: whole(options.buckets ?? 256, 'buckets', 16_384),
    timeoutMs: whole(options.timeoutMs ?? 5_000, 'timeoutMs', 600_000, 100),
    connectTimeoutMs: whole(options.connectTimeoutMs ?? 5_000, 'connectTimeoutMs', 600_000, 100),
    retries: whole(options.retries ?? 3, 'retries', 10, 0),
    outputIntervalMs: whole(options.outputIntervalMs ?? 50, 'outputIntervalMs', 10_000, 0),
    l1: options.l1 === undefined ? null : resolveL1Options(options.l1),
  };
}

function resolveL1Options({
  size = 1_000,
  ttlMs = 60_000,
  stalenessMs = 250,
}: Partial<L1Options>): L1Options {
  return {
    size: whole(size, 'l1.size', 10_000_000),
    ttlMs: whole(ttlMs, 'l1.ttlMs', maxDurationMs),
    stalenessMs: whole(stalenessMs, 'l1.stalenessMs', 60_000, 10),
  };
}
