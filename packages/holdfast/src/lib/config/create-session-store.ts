import type { Clock } from '../clock.ts';
import type { Codec } from '../codec/codec.ts';
import type { JsonObject } from '../json/json-value.ts';
import { InMemorySessionStore } from '../memory/in-memory-session-store.ts';
import type { MetadataSchema } from '../model/metadata.ts';
import type { Logger } from '../store/emitter.ts';
import type { SessionStore } from '../store/session-store.ts';
import type { Config } from './load-config.ts';
import { tlsOptions } from './redis-config.ts';

export interface CreateStoreOptions<
  Metadata extends object = JsonObject,
  MetadataInput extends object = Metadata,
> {
  /** Any Standard Schema of the sessions' metadata; any JSON object without one. */
  readonly metadata?: MetadataSchema<MetadataInput, Metadata> | undefined;
  readonly clock?: Clock | undefined;
  /** Silent unless given. */
  readonly logger?: Logger | undefined;
  /** Gives up connecting when it aborts; afterwards it means nothing. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The store that `SESSION_STORE_TYPE` names. One on Redis is connected; only it loads the `redis`
 * package.
 *
 * @throws ConfigError; StoreUnavailableError when Redis cannot be reached; the reason of `signal`
 */
export async function createSessionStore<
  Metadata extends object = JsonObject,
  MetadataInput extends object = Metadata,
>(
  config: Config,
  options: CreateStoreOptions<Metadata, MetadataInput> = {},
): Promise<SessionStore<Metadata, MetadataInput>> {
  const { storeType, maxSessions, ...limits } = config.session;
  const { locking } = config.turn;
  const { logger } = options;
  for (const { setting, message } of config.warnings) logger?.warn({ setting }, message);
  if (storeType === 'in_memory') {
    const codec = await codecOf(config, 'memory');
    return new InMemorySessionStore({ ...limits, ...options, maxSessions, locking, codec });
  }
  const { RedisSessionStore } = await import('../redis/redis-session-store.ts');
  const { maxConnections: _, password, sentinel, tls, ...redis } = config.redis;
  // Asked for at each connection: the files that they are from may be read again.
  const secrets = {
    ...(password === undefined ? {} : { password: () => password.value }),
    ...(sentinel === undefined
      ? {}
      : { sentinel: { ...sentinel, password: () => sentinel.password?.value } }),
    ...(tls === undefined ? {} : { tls: tlsOptions(tls) }),
  };
  const codec = await codecOf(config, redis.keyPrefix);
  return RedisSessionStore.connect({
    ...{ ...limits, ...redis, ...secrets, ...options },
    ...{ locking, codec },
  });
}

async function codecOf({ encryption }: Config, namespace: string): Promise<Codec | undefined> {
  if (encryption === undefined) return undefined;
  const { createCodec } = await import('../encryption/create-codec.ts');
  const { ring, cipher, allowPlaintext } = encryption;
  return createCodec(ring, { cipher, allowPlaintext, namespace });
}
