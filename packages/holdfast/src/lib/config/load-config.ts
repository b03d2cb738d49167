import type { z } from 'zod';
import { ConfigError } from '../errors/errors.ts';
import { type AgentConfig, readAgentConfig } from './agent-config.ts';
import { contradictions } from './contradictions.ts';
import { earlierIdleTimeoutMs } from './earlier-names.ts';
import { type EncryptionConfig, readEncryptionConfig } from './encryption-config.ts';
import { readSettings, type SettingSources } from './read-settings.ts';
import { hasPassword, type RedisConfig, readRedisConfig } from './redis-config.ts';
import { readServerConfig, type ServerConfig } from './server-config.ts';
import { type Settings, settingsSchema } from './settings.ts';
import { type ConfigWarning, warningsOf } from './warnings.ts';

export type LoadConfigOptions = SettingSources;

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
  readonly server: ServerConfig;
  readonly agent: AgentConfig;
  readonly logLevel: Settings['LOG_LEVEL'];
  /** For whoever uses the configuration to log. */
  readonly warnings: readonly ConfigWarning[];
}

/**
 * Reads the settings from the environment and a file. Nothing is written to `process.env`.
 * @throws ConfigError that names every setting that is wrong, never its value.
 */
export function loadConfig(options: LoadConfigOptions = {}): Config {
  const { config, wrong } = checkConfig(options);
  if (config === null) throw new ConfigError(`${wrong.join('; ')}.`);
  return config;
}

/** The same, with a sentence for each thing that is wrong. @throws ConfigError for a file that cannot be read */
export function checkConfig(
  options: LoadConfigOptions,
): { config: Config; wrong: readonly [] } | { config: null; wrong: readonly string[] } {
  const { settings: given, warnings } = readSettings(options);
  const parsed = settingsSchema.safeParse(given);
  if (!parsed.success) return { config: null, wrong: problems(parsed.error) };
  const settings = parsed.data;
  const wrong: string[] = [];
  const redis = readRedisConfig(settings, wrong);
  const encryption = readEncryptionConfig(settings, wrong);
  const server = readServerConfig(settings, wrong);
  const agent = readAgentConfig(settings, wrong);
  const earlierTimeoutMs = earlierIdleTimeoutMs(given, wrong);
  wrong.push(...contradictions(settings));
  if (wrong.length > 0) return { config: null, wrong };
  const config = toConfig(settings, earlierTimeoutMs, { redis, encryption, server, agent });
  const { idleTimeoutMs } = config.session;
  const isEncrypted = encryption !== undefined && encryption.cipher !== 'none';
  const secrets = {
    adminApiKey: server.adminApiKey?.value,
    metricsToken: server.metricsToken?.value,
    redisPassword: redis.password?.value,
    redisPasswordSetting: hasPassword(settings.REDIS_URL) ? 'REDIS_URL' : 'REDIS_PASSWORD',
  } as const;
  const hasKey = encryption !== undefined;
  const facts = { settings, given, idleTimeoutMs, hasKey, isEncrypted, ...secrets };
  return { config: { ...config, warnings: [...warnings, ...warningsOf(facts)] }, wrong: [] };
}

function problems(error: z.ZodError): string[] {
  // An item of a list is told by its setting, and several of them once.
  return [...new Set(error.issues.map(({ path, message }) => `${String(path[0])} ${message}`))];
}

/** Undefined where the idle timeout is SESSION_TIMEOUT_MINUTES. */
function redisIdleTimeoutMs(settings: Settings): number | undefined {
  const seconds = settings.REDIS_SESSION_TTL_SECONDS;
  if (settings.SESSION_STORE_TYPE !== 'redis' || seconds === undefined) return undefined;
  return seconds * 1000;
}

function toConfig(
  settings: Settings,
  earlierTimeoutMs: number | undefined,
  parts: Pick<Config, 'redis' | 'encryption' | 'server' | 'agent'>,
): Omit<Config, 'warnings'> {
  return {
    session: {
      storeType: settings.SESSION_STORE_TYPE,
      maxSessions: settings.SESSION_MAX_SESSIONS,
      idleTimeoutMs:
        redisIdleTimeoutMs(settings) ??
        earlierTimeoutMs ??
        settings.SESSION_TIMEOUT_MINUTES * 60_000,
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
    logLevel: settings.LOG_LEVEL,
  };
}
