import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { z } from 'zod';
import { ConfigError } from '../errors/errors.ts';
import { type EncryptionConfig, readEncryptionConfig } from './encryption-config.ts';
import { type RedisConfig, readRedisConfig } from './redis-config.ts';
import { type Settings, settingsSchema } from './settings.ts';

export interface LoadConfigOptions {
  /** Default: `process.env`, which is only read. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** A file of settings; what `env` has comes first. Default: `.env` in the working folder, if it exists. */
  readonly envFile?: string | undefined;
}

/** What is allowed, and maybe not meant. */
interface ConfigWarning {
  readonly setting: string;
  readonly message: string;
}

/** The configuration, parsed. Durations carry their unit in their names. */
export interface Config {
  readonly session: {
    readonly storeType: Settings['SESSION_STORE_TYPE'];
    readonly maxSessions: number;
    readonly idleTimeoutMs: number;
    readonly absoluteTimeoutMs: number;
    readonly cleanupIntervalMs: number;
    readonly maxMessages: number;
    readonly outcomeTtlMs: number;
    readonly maxPerUser: number;
    readonly maxPerUserPolicy: Settings['SESSION_MAX_PER_USER_POLICY'];
  };
  readonly turn: {
    readonly locking: boolean;
    readonly leaseMs: number;
    readonly waitMs: number;
    readonly maxTurnMs: number;
  };
  readonly fingerprint: {
    readonly enabled: boolean;
    /** Never without `enabled`. */
    readonly strict: boolean;
    readonly bind: Settings['SESSION_FINGERPRINT_BIND'];
  };
  readonly redis: RedisConfig;
  /** Undefined where values are stored as they are. */
  readonly encryption: EncryptionConfig | undefined;
  readonly server: {
    readonly host: string;
    readonly port: number;
    readonly adminApiKey: string | undefined;
    readonly metricsToken: string | undefined;
    /** Addresses and CIDR ranges, or how many proxies there are. */
    readonly corsOrigins: readonly string[];
    readonly rateLimit: {
      readonly enabled: boolean;
      readonly requests: number;
      readonly periodMs: number;
    };
    readonly trustedProxies: readonly string[] | number;
  };
  readonly agent: {
    readonly provider: Settings['AI_PROVIDER'];
    readonly knowledgeDir: string | undefined;
  };
  readonly logLevel: Settings['LOG_LEVEL'];
  /** For whoever uses the configuration to log. */
  readonly warnings: readonly ConfigWarning[];
}

/**
 * Reads the settings from the environment and a file. Nothing is written to `process.env`.
 * @throws ConfigError that names every setting that is wrong, never its value.
 */
export function loadConfig(options: LoadConfigOptions = {}): Config {
  const settings = readSettings(options);
  const parsed = settingsSchema.safeParse(settings);
  const wrong = parsed.success ? [] : problems(parsed.error);
  if (parsed.success) {
    const redis = readRedisConfig(parsed.data, wrong);
    const encryption = readEncryptionConfig(parsed.data, wrong);
    wrong.push(...contradictions(parsed.data));
    if (wrong.length === 0) {
      return toConfig(parsed.data, { redis, encryption }, warningsOf(settings, parsed.data));
    }
  }
  throw new ConfigError(`${wrong.join('; ')}.`);
}

/** The settings as they are written. @throws ConfigError for a file that cannot be read */
export function readSettings({
  env = process.env,
  envFile,
}: LoadConfigOptions): Record<string, string> {
  const settings: Record<string, string> = { ...readEnvFile(envFile) };
  for (const [name, value] of Object.entries(env)) if (value !== undefined) settings[name] = value;
  // An empty value is how shells and .env files write "not set".
  for (const [name, value] of Object.entries(settings)) if (value === '') delete settings[name];
  return settings;
}

function readEnvFile(envFile: string | undefined): Record<string, string> {
  try {
    return parseEnv(readFileSync(envFile ?? '.env', 'utf8')) as Record<string, string>;
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (missing && envFile === undefined) return {};
    throw new ConfigError(`The settings file ${envFile ?? '.env'} could not be read.`, {
      cause: error,
    });
  }
}

function problems(error: z.ZodError): string[] {
  // An item of a list is told by its setting, and several of them once.
  return [...new Set(error.issues.map(({ path, message }) => `${String(path[0])} ${message}`))];
}

function contradictions(settings: Settings): string[] {
  const { SESSION_FINGERPRINT_STRICT: strict, SESSION_FINGERPRINTING_ENABLED: enabled } = settings;
  const wrong: string[] = [];
  if (strict && !enabled) {
    wrong.push('SESSION_FINGERPRINT_STRICT=true needs SESSION_FINGERPRINTING_ENABLED=true');
  }
  if (settings.SESSION_DURABILITY === 'replicated' && settings.REDIS_MAX_CONNECTIONS < 3) {
    wrong.push('SESSION_DURABILITY=replicated needs REDIS_MAX_CONNECTIONS of 3 or more');
  }
  return wrong;
}

function warningsOf(given: Readonly<Record<string, string>>, settings: Settings): ConfigWarning[] {
  const setting = 'REDIS_SESSION_TTL_SECONDS';
  const ttl = redisIdleTimeoutMs(settings);
  if (ttl === undefined || given.SESSION_TIMEOUT_MINUTES === undefined) return [];
  if (ttl === settings.SESSION_TIMEOUT_MINUTES * 60_000) return [];
  const message = `${setting} and SESSION_TIMEOUT_MINUTES differ: on Redis the first one counts, and sessions are idle for ${ttl / 1000} s at most`;
  return [{ setting, message }];
}

/** Undefined where the idle timeout is SESSION_TIMEOUT_MINUTES. */
function redisIdleTimeoutMs(settings: Settings): number | undefined {
  const seconds = settings.REDIS_SESSION_TTL_SECONDS;
  if (settings.SESSION_STORE_TYPE !== 'redis' || seconds === undefined) return undefined;
  return seconds * 1000;
}

function toConfig(
  settings: Settings,
  parts: Pick<Config, 'redis' | 'encryption'>,
  warnings: readonly ConfigWarning[],
): Config {
  return {
    session: {
      storeType: settings.SESSION_STORE_TYPE,
      maxSessions: settings.SESSION_MAX_SESSIONS,
      idleTimeoutMs: redisIdleTimeoutMs(settings) ?? settings.SESSION_TIMEOUT_MINUTES * 60_000,
      absoluteTimeoutMs: settings.SESSION_ABSOLUTE_TIMEOUT_MINUTES * 60_000,
      cleanupIntervalMs: settings.SESSION_CLEANUP_INTERVAL_SECONDS * 1000,
      maxMessages: settings.SESSION_MAX_MESSAGES,
      outcomeTtlMs: settings.SESSION_IDEMPOTENCY_TTL_SECONDS * 1000,
      maxPerUser: settings.SESSION_MAX_PER_USER,
      maxPerUserPolicy: settings.SESSION_MAX_PER_USER_POLICY,
    },
    turn: {
      locking: settings.SESSION_LOCKING_ENABLED,
      leaseMs: settings.SESSION_LOCK_TIMEOUT_SECONDS * 1000,
      waitMs: settings.SESSION_LOCK_WAIT_SECONDS * 1000,
      maxTurnMs: settings.SESSION_TURN_MAX_SECONDS * 1000,
    },
    fingerprint: {
      enabled: settings.SESSION_FINGERPRINTING_ENABLED,
      strict: settings.SESSION_FINGERPRINT_STRICT,
      bind: settings.SESSION_FINGERPRINT_BIND,
    },
    ...parts,
    server: {
      host: settings.API_HOST,
      port: settings.API_PORT,
      adminApiKey: settings.ADMIN_API_KEY,
      metricsToken: settings.METRICS_TOKEN,
      corsOrigins: settings.CORS_ORIGINS,
      rateLimit: {
        enabled: settings.RATE_LIMIT_ENABLED,
        requests: settings.RATE_LIMIT_REQUESTS,
        periodMs: settings.RATE_LIMIT_PERIOD * 1000,
      },
      trustedProxies: settings.TRUSTED_PROXIES,
    },
    agent: { provider: settings.AI_PROVIDER, knowledgeDir: settings.KNOWLEDGE_DIR },
    logLevel: settings.LOG_LEVEL,
    warnings,
  };
}
