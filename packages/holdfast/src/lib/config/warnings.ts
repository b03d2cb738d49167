import { defaultRedisUrl } from './redis-settings.ts';
import { defaultModel, defaultModelBase, type Settings } from './settings.ts';

/** What is allowed, and maybe not meant. */
export interface ConfigWarning {
  readonly setting: string;
  readonly message: string;
}

interface Facts {
  readonly settings: Settings;
  /** What was set, as text. */
  readonly given: Readonly<Record<string, string>>;
  readonly idleTimeoutMs: number;
  readonly hasKey: boolean;
  readonly isEncrypted: boolean;
  readonly adminApiKey: string | undefined;
  readonly metricsToken: string | undefined;
  readonly redisPassword: string | undefined;
  /** Of the settings that hold it, the one that counts. */
  readonly redisPasswordSetting: 'REDIS_URL' | 'REDIS_PASSWORD';
}

type Warn = (facts: Facts) => ConfigWarning | false;

/** Settings of which one makes another useless, or not what it seems. */
const always: readonly Warn[] = [
  ({ settings, given, idleTimeoutMs }) => {
    const { SESSION_TIMEOUT_MINUTES: minutes, SESSION_TIMEOUT_SECONDS: seconds } = given;
    const [name, otherMs] =
      minutes === undefined
        ? [
            'SESSION_TIMEOUT_SECONDS',
            seconds === undefined ? idleTimeoutMs : Number(seconds) * 1000,
          ]
        : ['SESSION_TIMEOUT_MINUTES', settings.SESSION_TIMEOUT_MINUTES * 60_000];
    if (settings.SESSION_STORE_TYPE !== 'redis' || idleTimeoutMs === otherMs) return false;
    return {
      setting: 'REDIS_SESSION_TTL_SECONDS',
      message: `REDIS_SESSION_TTL_SECONDS and ${name} differ: on Redis the first one counts, and sessions are idle for ${idleTimeoutMs / 1000} s at most`,
    };
  },
  ({ settings, idleTimeoutMs }) =>
    idleTimeoutMs > settings.SESSION_ABSOLUTE_TIMEOUT_MINUTES * 60_000 && {
      setting: 'SESSION_ABSOLUTE_TIMEOUT_MINUTES',
      message:
        'SESSION_ABSOLUTE_TIMEOUT_MINUTES is shorter than the idle timeout, which then never counts: sessions end by their age alone',
    },
  ({ settings }) =>
    settings.SESSION_TURN_MAX_SECONDS > settings.SESSION_ABSOLUTE_TIMEOUT_MINUTES * 60 && {
      setting: 'SESSION_TURN_MAX_SECONDS',
      message:
        'SESSION_TURN_MAX_SECONDS is longer than SESSION_ABSOLUTE_TIMEOUT_MINUTES: a turn can outlive its session, and is lost then',
    },
  ({ settings, idleTimeoutMs }) =>
    settings.SESSION_STORE_TYPE === 'redis' &&
    settings.SESSION_L1_CACHE_ENABLED &&
    settings.SESSION_L1_CACHE_TTL_SECONDS * 1000 > idleTimeoutMs && {
      setting: 'SESSION_L1_CACHE_TTL_SECONDS',
      message:
        'SESSION_L1_CACHE_TTL_SECONDS is longer than the idle timeout: sessions that have expired take up the cache',
    },
  ({ settings }) =>
    settings.SESSION_STORE_TYPE === 'redis' &&
    settings.SESSION_LOCKING_ENABLED &&
    settings.REDIS_SOCKET_TIMEOUT >= settings.SESSION_LOCK_TIMEOUT_SECONDS && {
      setting: 'SESSION_LOCK_TIMEOUT_SECONDS',
      message:
        'SESSION_LOCK_TIMEOUT_SECONDS is not longer than REDIS_SOCKET_TIMEOUT: one slow answer of Redis loses a turn its lease; make it three times as long',
    },
  ({ settings }) =>
    settings.SESSION_STORE_TYPE === 'in_memory' &&
    (settings.REDIS_URL !== defaultRedisUrl ||
      settings.REDIS_CLUSTER_NODES !== undefined ||
      settings.REDIS_SENTINEL_NODES !== undefined) && {
      setting: 'SESSION_STORE_TYPE',
      message:
        'SESSION_STORE_TYPE is in_memory, so the Redis that is set is not used: set SESSION_STORE_TYPE=redis',
    },
  ({ settings, given }) => {
    const setting = unusedModelSetting(given);
    if (settings.AI_PROVIDER !== 'local' || setting === undefined) return false;
    return {
      setting,
      message: `${setting} is set and not used, since AI_PROVIDER is local: set AI_PROVIDER=openai, or take it out`,
    };
  },
  ({ settings, redisPasswordSetting: setting }) =>
    settings.SESSION_STORE_TYPE === 'redis' &&
    setting === 'REDIS_URL' &&
    (settings.REDIS_PASSWORD ?? settings.REDIS_PASSWORD_FILE) !== undefined && {
      setting: 'REDIS_PASSWORD',
      message:
        'REDIS_URL has a password and there is another one besides: the one of REDIS_URL counts; take one out',
    },
  ({ settings }) =>
    !settings.SESSION_LOCKING_ENABLED && {
      setting: 'SESSION_LOCKING_ENABLED',
      message:
        'Locking is off: of two turns that race on a session, one fails with VERSION_CONFLICT',
    },
  ({ settings, isEncrypted }) =>
    settings.SESSION_ENCRYPTION_ALLOW_PLAINTEXT &&
    isEncrypted && {
      setting: 'SESSION_ENCRYPTION_ALLOW_PLAINTEXT',
      message:
        'Values that are not encrypted are read: whoever can write to the store can forge sessions. Run `holdfast rekey`, then switch it off',
    },
];

/** A setting of a model over a network, other than by default. */
function unusedModelSetting(given: Facts['given']): string | undefined {
  const defaults: Readonly<Record<string, string | undefined>> = {
    OPENAI_API_KEY: undefined,
    OPENAI_API_BASE: defaultModelBase,
    AGENT_MODEL: defaultModel,
  };
  return Object.keys(defaults).find(
    (name) => given[name] !== undefined && given[name] !== defaults[name],
  );
}

/** What to do where there is a key, and encryption is off. */
export const turnOn =
  'SESSION_ENCRYPTION_ENABLED is false although there is a key: docs/security.md has the steps to turn it on';

/** Text that stands in examples for a secret. */
const placeholder = /change|example|secret|password|your|placeholder|default|^(.)\1*$/i;

/** Whether what is sent there leaves this machine without TLS. */
function goesInTheClear(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === 'http:' && !/^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
}

/** What is well for trying out, and not for customers. */
const inProduction: readonly Warn[] = [
  ({ settings, given }) =>
    settings.SESSION_STORE_TYPE === 'in_memory' &&
    Number(given.WEB_CONCURRENCY) > 1 && {
      setting: 'SESSION_STORE_TYPE',
      message:
        'SESSION_STORE_TYPE is in_memory with WEB_CONCURRENCY above 1: each process has sessions of its own, and customers lose theirs from request to request; set SESSION_STORE_TYPE=redis',
    },
  ({ settings, hasKey, isEncrypted }) => {
    if (settings.SESSION_STORE_TYPE !== 'redis' || isEncrypted) return false;
    const [setting, remedy] = hasKey
      ? ['SESSION_ENCRYPTION_ENABLED', turnOn]
      : ['SESSION_ENCRYPTION_KEY', 'set SESSION_ENCRYPTION_KEY (holdfast keygen makes one)'];
    const message = `Sessions are not encrypted: whoever reads Redis, or a copy of it, reads the conversations; ${remedy}`;
    return { setting, message };
  },
  ({ settings, adminApiKey }) =>
    settings.SESSION_STORE_TYPE === 'redis' &&
    adminApiKey === undefined && {
      setting: 'ADMIN_API_KEY',
      message:
        'ADMIN_API_KEY is not set: each instance makes a key of its own and prints it, which the others do not know; set a random one (holdfast keygen makes one)',
    },
  ({ adminApiKey }) => looksLikeExample('ADMIN_API_KEY', adminApiKey),
  ({ metricsToken }) => looksLikeExample('METRICS_TOKEN', metricsToken),
  ({ redisPassword, redisPasswordSetting }) =>
    looksLikeExample(redisPasswordSetting, redisPassword),
  ({ settings }) =>
    settings.AI_PROVIDER === 'openai' &&
    goesInTheClear(settings.OPENAI_API_BASE) && {
      setting: 'OPENAI_API_BASE',
      message:
        'OPENAI_API_BASE is http: whoever is on the way to the model reads the conversations and the key; use https, unless the network is your own',
    },
  ({ settings }) =>
    !settings.RATE_LIMIT_ENABLED && {
      setting: 'RATE_LIMIT_ENABLED',
      message: 'RATE_LIMIT_ENABLED=false: one client can take up the whole server',
    },
  ({ settings }) =>
    settings.SESSION_FINGERPRINT_STRICT &&
    settings.SESSION_FINGERPRINT_BIND.includes('ip') &&
    Array.isArray(settings.TRUSTED_PROXIES) &&
    settings.TRUSTED_PROXIES.length === 0 && {
      setting: 'TRUSTED_PROXIES',
      message:
        'SESSION_FINGERPRINT_STRICT=true without TRUSTED_PROXIES: behind a load balancer every client has its address, and one that moves among several is refused; list your proxies',
    },
];

function looksLikeExample(setting: string, secret = ''): ConfigWarning | false {
  if (!placeholder.test(secret)) return false;
  const what = setting === 'REDIS_URL' ? 'The password of REDIS_URL' : setting;
  const message = `${what} looks like an example, which others know too: set a random one (holdfast keygen makes one)`;
  return { setting, message };
}

/** @returns what is to be logged at the start */
export function warningsOf(facts: Facts): ConfigWarning[] {
  const isProduction = facts.given.NODE_ENV === 'production';
  const checks = isProduction ? [...always, ...inProduction] : always;
  return checks.flatMap((check) => check(facts) || []);
}
