import { RedisAddress, type RedisTls } from '../redis/connection/redis-address.ts';
import { noting, readSecret } from './named-files.ts';
import { Secret } from './secret.ts';
import type { Settings } from './settings.ts';
import { readAuthorities, readKeyPair } from './tls-files.ts';

/** Where Redis is, how to get in, and how patient to be. */
export interface RedisConfig {
  /** Without the user and the password that `REDIS_URL` may have. */
  readonly url: string;
  readonly username: string | undefined;
  /** Of `REDIS_URL`, or else of its own setting. */
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
  readonly key?: Secret;
}

/**
 * The files that the settings name are read only for a store on Redis: elsewhere they need not exist.
 *
 * @param wrong gets a sentence for each that cannot be used, without its path or content
 */
export function readRedisConfig(settings: Settings, wrong: string[]): RedisConfig {
  const isUsed = settings.SESSION_STORE_TYPE === 'redis';
  return {
    ...(isUsed ? readAddress(settings, wrong) : whereOf(settings)),
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

type Address = Pick<RedisConfig, 'url' | 'username' | 'password' | 'tls'>;

export function hasPassword(url: string): boolean {
  return addressOf(url).password !== undefined;
}

/** A user's password may be in a setting of its own. */
function addressOf(url: string): RedisAddress {
  return new RedisAddress({ url, password: () => undefined });
}

/** What `REDIS_URL` says by itself. */
function whereOf({ REDIS_URL: url }: Settings): Address {
  const { display, username, password } = addressOf(url);
  const secret = password === undefined ? undefined : Secret.of(password);
  return { url: display, username, password: secret, tls: undefined };
}

function readAddress(settings: Settings, wrong: string[]): Address {
  const where = whereOf(settings);
  const own = readSecret('REDIS_PASSWORD', password, settings, wrong);
  const tls = readTls(settings, wrong);
  const { REDIS_URL: url, REDIS_PASSWORD: given, REDIS_PASSWORD_FILE: path } = settings;
  const hasOwn = given !== undefined || path !== undefined;
  noting(
    wrong,
    () =>
      new RedisAddress({
        url,
        ...(hasOwn ? { password: () => own?.value } : {}),
        ...(tls === undefined ? {} : { tls: tlsOptions(tls) }),
      }),
  );
  return { ...where, password: where.password ?? own, tls };
}

/** As the connection takes them. */
export function tlsOptions({ key, ...certificates }: RedisTlsConfig): RedisTls {
  return { ...certificates, ...(key === undefined ? {} : { key: key.value }) };
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
  const ca = readAuthorities(settings, wrong);
  const pair = readKeyPair('REDIS_TLS', settings, wrong);
  if (ca === undefined && pair === undefined) return undefined;
  return { ...(ca === undefined ? {} : { ca }), ...pair };
}
