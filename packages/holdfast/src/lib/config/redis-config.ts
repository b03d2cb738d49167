import { readPem, readSecret } from './named-files.ts';
import type { Secret } from './secret.ts';
import type { Settings } from './settings.ts';

/** Where Redis is, how to get in, and how patient to be. */
export interface RedisConfig {
  readonly url: string;
  /** Used where the URL has none. */
  readonly password: Secret | undefined;
  /** PEM, of those files that were named; undefined when none was. */
  readonly tls: RedisTlsConfig | undefined;
  readonly sentinel:
    | {
        readonly nodes: readonly string[];
        readonly master: string;
        readonly password: Secret | undefined;
      }
    | undefined;
  readonly cluster: { readonly nodes: readonly string[] } | undefined;
  readonly natMap: Readonly<Record<string, string>>;
  readonly durability: Settings['SESSION_DURABILITY'];
  readonly keyPrefix: string;
  readonly maxConnections: number;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly retries: number;
  /** What is kept in the process; undefined for nothing. */
  readonly l1: L1Config | undefined;
}

const password = { what: 'password' };

interface L1Config {
  readonly size: number;
  readonly ttlMs: number;
  readonly stalenessMs: number;
}

interface RedisTlsConfig {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/**
 * The files that the settings name are read only for a store on Redis: elsewhere they need not exist.
 *
 * @param wrong gets a sentence for each that cannot be used, without its path or content
 */
export function readRedisConfig(settings: Settings, wrong: string[]): RedisConfig {
  const isUsed = settings.SESSION_STORE_TYPE === 'redis';
  return {
    url: settings.REDIS_URL,
    password: isUsed ? readSecret('REDIS_PASSWORD', password, settings, wrong) : undefined,
    tls: isUsed ? readTls(settings, wrong) : undefined,
    sentinel: readSentinel(settings, wrong),
    cluster: settings.REDIS_CLUSTER_NODES && { nodes: settings.REDIS_CLUSTER_NODES },
    natMap: settings.REDIS_NAT_MAP,
    durability: settings.SESSION_DURABILITY,
    keyPrefix: settings.REDIS_SESSION_KEY_PREFIX,
    maxConnections: settings.REDIS_MAX_CONNECTIONS,
    timeoutMs: settings.REDIS_SOCKET_TIMEOUT * 1000,
    connectTimeoutMs: settings.REDIS_SOCKET_CONNECT_TIMEOUT * 1000,
    retries: settings.SESSION_LOCK_RETRY_ATTEMPTS,
    l1: settings.SESSION_L1_CACHE_ENABLED
      ? {
          size: settings.SESSION_L1_CACHE_SIZE,
          ttlMs: settings.SESSION_L1_CACHE_TTL_SECONDS * 1000,
          stalenessMs: settings.SESSION_L1_MAX_STALENESS_MS,
        }
      : undefined,
  };
}

function readSentinel(settings: Settings, wrong: string[]): RedisConfig['sentinel'] {
  const {
    REDIS_SENTINEL_NODES: nodes,
    REDIS_SENTINEL_MASTER: master,
    REDIS_CLUSTER_NODES: cluster,
  } = settings;
  if (cluster !== undefined && (nodes !== undefined || master !== undefined)) {
    wrong.push('REDIS_CLUSTER_NODES and REDIS_SENTINEL_NODES are both set: leave one out');
  }
  if ((nodes === undefined) !== (master === undefined)) {
    wrong.push('REDIS_SENTINEL_NODES and REDIS_SENTINEL_MASTER are needed together: set both');
  }
  if (nodes === undefined || master === undefined) return undefined;
  const isUsed = settings.SESSION_STORE_TYPE === 'redis';
  const own = isUsed && readSecret('REDIS_SENTINEL_PASSWORD', password, settings, wrong);
  return { nodes, master, password: own || undefined };
}

function readTls(settings: Settings, wrong: string[]): RedisTlsConfig | undefined {
  const ca = readPem('REDIS_TLS_CA_FILE', settings, wrong);
  const cert = readPem('REDIS_TLS_CERT_FILE', settings, wrong);
  const key = readPem('REDIS_TLS_KEY_FILE', settings, wrong);
  const { REDIS_TLS_CERT_FILE, REDIS_TLS_KEY_FILE } = settings;
  if ((REDIS_TLS_CERT_FILE === undefined) !== (REDIS_TLS_KEY_FILE === undefined)) {
    wrong.push('REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE are needed together: set both');
  }
  if (ca === undefined && cert === undefined) return undefined;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
