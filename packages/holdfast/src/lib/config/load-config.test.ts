import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ConfigError } from '../errors/errors.ts';
import { type Config, loadConfig } from './load-config.ts';
import { Secret } from './secret.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-config-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

function fileOf(...lines: string[]): string {
  const path = join(folder(), 'settings.env');
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

const empty = () => fileOf('');

/** The configuration of this environment alone: no `.env` of the working folder. */
const load = (env: Record<string, string | undefined>): Config =>
  loadConfig({ env, envFile: empty() });

function errorOf(env: Record<string, string>): ConfigError {
  try {
    load(env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('It was accepted.');
}

describe('loadConfig', () => {
  it('has a default for every setting', () => {
    expect(load({})).toEqual({
      session: {
        storeType: 'in_memory',
        maxSessions: 10_000,
        idleTimeoutMs: 30 * 60_000,
        absoluteTimeoutMs: 24 * 60 * 60_000,
        cleanupIntervalMs: 300_000,
        maxMessages: 1_000,
        outcomeTtlMs: 86_400_000,
        maxPerUser: 0,
        maxPerUserPolicy: 'evict_oldest',
      },
      turn: { locking: true, leaseMs: 30_000, waitMs: 60_000, maxTurnMs: 300_000 },
      fingerprint: { enabled: true, strict: false, bind: ['ip', 'user_agent'] },
      redis: {
        url: 'redis://localhost:6379/0',
        password: undefined,
        sentinel: undefined,
        cluster: undefined,
        natMap: {},
        durability: 'async',
        tls: undefined,
        keyPrefix: 'agent:session:',
        maxConnections: 50,
        timeoutMs: 5_000,
        connectTimeoutMs: 5_000,
        retries: 3,
        l1: { size: 1_000, ttlMs: 60_000, stalenessMs: 250 },
      },
      server: {
        host: 'localhost',
        port: 8000,
        tls: undefined,
        adminApiKey: undefined,
        metricsToken: undefined,
        corsOrigins: [],
        rateLimit: { enabled: true, requests: 100, periodMs: 60_000 },
        trustedProxies: [],
      },
      agent: { provider: 'local', knowledgeDir: undefined, openai: undefined },
      logLevel: 'info',
      warnings: [],
    });
  });

  it('takes every setting', () => {
    const config = load({
      SESSION_STORE_TYPE: 'in_memory',
      SESSION_MAX_SESSIONS: '5',
      SESSION_TIMEOUT_MINUTES: '1',
      SESSION_ABSOLUTE_TIMEOUT_MINUTES: '2',
      SESSION_CLEANUP_INTERVAL_SECONDS: '4',
      SESSION_MAX_MESSAGES: '3',
      SESSION_TURN_MAX_SECONDS: '4',
      SESSION_IDEMPOTENCY_TTL_SECONDS: '6',
      SESSION_LOCKING_ENABLED: 'False',
      SESSION_LOCK_TIMEOUT_SECONDS: '7',
      SESSION_LOCK_WAIT_SECONDS: '0',
      SESSION_MAX_PER_USER: '8',
      SESSION_MAX_PER_USER_POLICY: 'reject',
      SESSION_FINGERPRINTING_ENABLED: 'yes',
      SESSION_FINGERPRINT_STRICT: 'true',
      SESSION_FINGERPRINT_BIND: ' user_agent,',
      REDIS_URL: 'rediss://redis.example:6380/3',
      REDIS_PASSWORD: 'p',
      REDIS_SESSION_KEY_PREFIX: 'shop:',
      REDIS_SESSION_TTL_SECONDS: '90',
      REDIS_MAX_CONNECTIONS: '2',
      REDIS_SOCKET_TIMEOUT: '9',
      REDIS_SOCKET_CONNECT_TIMEOUT: '10',
      SESSION_LOCK_RETRY_ATTEMPTS: '0',
      SESSION_L1_CACHE_ENABLED: 'true',
      SESSION_L1_CACHE_SIZE: '6',
      SESSION_L1_CACHE_TTL_SECONDS: '7',
      SESSION_L1_MAX_STALENESS_MS: '80',
      API_HOST: '0.0.0.0',
      API_PORT: '0',
      ADMIN_API_KEY: 'k'.repeat(16),
      METRICS_TOKEN: 'm'.repeat(16),
      CORS_ORIGINS: 'https://shop.example, http://localhost:5173',
      RATE_LIMIT_ENABLED: 'false',
      RATE_LIMIT_REQUESTS: '7',
      RATE_LIMIT_PERIOD: '9',
      TRUSTED_PROXIES: ' 10.0.0.0/8 , 2001:db8::1 ,',
      AI_PROVIDER: 'openai',
      OPENAI_API_KEY: 'sk-1',
      OPENAI_API_BASE: 'http://models.example:8080/v1/',
      AGENT_MODEL: 'small/one:7b',
      AGENT_MODEL_TIMEOUT_SECONDS: '3',
      KNOWLEDGE_DIR: 'articles',
      LOG_LEVEL: 'silent',
    });
    expect(config).toEqual({
      session: {
        storeType: 'in_memory',
        maxSessions: 5,
        idleTimeoutMs: 60_000,
        absoluteTimeoutMs: 120_000,
        cleanupIntervalMs: 4_000,
        maxMessages: 3,
        outcomeTtlMs: 6_000,
        maxPerUser: 8,
        maxPerUserPolicy: 'reject',
      },
      turn: { locking: false, leaseMs: 7_000, waitMs: 0, maxTurnMs: 4_000 },
      fingerprint: { enabled: true, strict: true, bind: ['user_agent'] },
      redis: {
        url: 'rediss://redis.example:6380/3',
        password: undefined,
        sentinel: undefined,
        cluster: undefined,
        natMap: {},
        durability: 'async',
        tls: undefined,
        keyPrefix: 'shop:',
        maxConnections: 2,
        timeoutMs: 9_000,
        connectTimeoutMs: 10_000,
        retries: 0,
        l1: { size: 6, ttlMs: 7_000, stalenessMs: 80 },
      },
      server: {
        host: '0.0.0.0',
        port: 0,
        tls: undefined,
        adminApiKey: Secret.of('k'.repeat(16)),
        metricsToken: Secret.of('m'.repeat(16)),
        corsOrigins: ['https://shop.example', 'http://localhost:5173'],
        rateLimit: { enabled: false, requests: 7, periodMs: 9_000 },
        trustedProxies: ['10.0.0.0/8', '2001:db8::1'],
      },
      agent: {
        provider: 'openai',
        knowledgeDir: 'articles',
        openai: {
          baseUrl: 'http://models.example:8080/v1',
          apiKey: Secret.of('sk-1'),
          model: 'small/one:7b',
          timeoutMs: 3_000,
        },
      },
      logLevel: 'silent',
      warnings: [
        expect.objectContaining({ setting: 'SESSION_STORE_TYPE' }),
        expect.objectContaining({ setting: 'SESSION_LOCKING_ENABLED' }),
      ],
    });
  });

  it('takes an empty value for none', () => {
    const names = ['SESSION_MAX_SESSIONS', 'ADMIN_API_KEY', 'LOG_LEVEL', 'TRUSTED_PROXIES'];
    const redis = ['REDIS_URL', 'REDIS_PASSWORD_FILE', 'REDIS_CLUSTER_NODES'];
    const all = [...names, ...redis, 'SESSION_ENCRYPTION_KEY'];
    const env = Object.fromEntries(all.map((name) => [name, '']));
    expect(load(env)).toEqual(load({}));
  });

  it('ignores what is not its own', () => {
    expect(load({ PATH: '/bin', SESSION_COLOUR: 'red' })).toEqual(load({}));
  });
});

describe('a malformed setting', () => {
  it.each([
    ['SESSION_STORE_TYPE', 'postgres', 'must be one of in_memory, redis'],
    ['SESSION_MAX_SESSIONS', '0', 'must be a whole number from 1 to 16777216'],
    ['SESSION_MAX_SESSIONS', '16777217', 'must be a whole number from 1 to 16777216'],
    ['SESSION_TIMEOUT_MINUTES', '1e3', 'must be a whole number from 1 to 34560'],
    ['SESSION_ABSOLUTE_TIMEOUT_MINUTES', '-1', 'must be a whole number from 1 to 34560'],
    ['SESSION_MAX_MESSAGES', '0x10', 'must be a whole number from 1 to 1000000'],
    ['SESSION_TURN_MAX_SECONDS', '1.5', 'must be a whole number from 1 to 86400'],
    ['SESSION_IDEMPOTENCY_TTL_SECONDS', '9'.repeat(400), 'must be a whole number from 1 to'],
    ['SESSION_LOCKING_ENABLED', 'ture', 'must be true or false'],
    ['SESSION_ENCRYPTION_ENABLED', 'ture', 'must be true or false'],
    ['SESSION_ENCRYPTION_CIPHER', 'aes', 'must be one of aes-256-gcm, fernet'],
    ['SESSION_ENCRYPTION_ALLOW_PLAINTEXT', 'maybe', 'must be true or false'],
    ['SESSION_LOCK_TIMEOUT_SECONDS', 'thirty', 'must be a whole number from 1 to 3600'],
    ['SESSION_LOCK_WAIT_SECONDS', ' 5', 'must be a whole number from 0 to 86400'],
    ['SESSION_MAX_PER_USER', '1_000', 'must be a whole number from 0 to 1000000'],
    ['SESSION_MAX_PER_USER_POLICY', 'Reject', 'must be one of evict_oldest, reject'],
    ['SESSION_FINGERPRINT_STRICT', 'ture', 'must be true or false'],
    ['SESSION_FINGERPRINT_BIND', 'ip,hunter2', 'must list ip, user_agent, or some of them'],
    ['SESSION_FINGERPRINT_BIND', ',', 'must list ip, user_agent, or some of them'],
    ['REDIS_URL', 'hunter2@localhost', 'must be redis://['],
    ['REDIS_URL', 'redis://:hunter2/@localhost', 'must be redis://['],
    ['REDIS_URL', 'unix:///run/redis.sock', 'must be redis://['],
    ['REDIS_URL', 'redis://localhost/zero', 'must be redis://['],
    ['REDIS_SESSION_KEY_PREFIX', '{shop}:', 'must be at most 128 characters of'],
    ['REDIS_SESSION_KEY_PREFIX', 'x'.repeat(129), 'must be at most 128 characters of'],
    ['REDIS_SESSION_TTL_SECONDS', '0', 'must be a whole number from 1 to 2073600'],
    ['REDIS_MAX_CONNECTIONS', '1', 'must be a whole number from 2 to 10000: one connection'],
    ['REDIS_SOCKET_TIMEOUT', '0.5', 'must be a whole number from 1 to 600'],
    ['REDIS_SOCKET_CONNECT_TIMEOUT', '601', 'must be a whole number from 1 to 600'],
    ['SESSION_LOCK_RETRY_ATTEMPTS', '11', 'must be a whole number from 0 to 10'],
    ['SESSION_L1_CACHE_SIZE', '0', 'must be a whole number from 1 to 10000000'],
    ['SESSION_L1_MAX_STALENESS_MS', '9', 'must be a whole number from 10 to 60000'],
    ['API_PORT', '65536', 'must be a whole number from 0 to 65535'],
    ['ADMIN_API_KEY', 'hunter2-hunter2', 'must have 16 characters or more'],
    ['METRICS_TOKEN', 'hunter2-hunter2', 'must have 16 characters or more'],
    ['ADMIN_API_KEY', 'correct horse hunter2', 'must be visible ASCII characters'],
    ['ADMIN_API_KEY', 'hunter2-hunter2-hunter2\r', 'must be visible ASCII characters'],
    ['METRICS_TOKEN', 'hunter2-pässe-hunter2', 'must be visible ASCII characters'],
    [
      'TRUSTED_PROXIES',
      '10.0.0.0/8,hunter2',
      'must list addresses or CIDR ranges such as 10.0.0.0/8',
    ],
    ['TRUSTED_PROXIES', '10.0.0.0/', 'must list addresses or CIDR ranges such as 10.0.0.0/8'],
    ['TRUSTED_PROXIES', '10.0.0.0/33', 'must list addresses or CIDR ranges such as 10.0.0.0/8'],
    ['TRUSTED_PROXIES', '0', 'must list addresses or CIDR ranges such as 10.0.0.0/8'],
    ['TRUSTED_PROXIES', '100', 'must list addresses or CIDR ranges such as 10.0.0.0/8'],
    ['TRUSTED_PROXIES', '1,10.0.0.1', 'must list addresses or CIDR ranges such as 10.0.0.0/8'],
    ['TRUSTED_PROXIES', '10.0.0.1:80', 'must list addresses or CIDR ranges such as 10.0.0.0/8'],
    ['CORS_ORIGINS', '*', 'must list origins such as'],
    ['CORS_ORIGINS', 'https://shop.example/', 'must list origins such as'],
    ['CORS_ORIGINS', 'hunter2.example', 'must list origins such as'],
    ['RATE_LIMIT_REQUESTS', '0', 'must be a whole number from 1 to 1000000'],
    ['RATE_LIMIT_PERIOD', '0', 'must be a whole number from 1 to 86400'],
    ['AI_PROVIDER', 'hunter2', 'must be one of local, openai'],
    ['OPENAI_API_KEY', 'hunter2 ', 'must be visible ASCII characters'],
    ['OPENAI_API_BASE', 'hunter2.example/v1', 'must be an address such as https://host/v1'],
    ['OPENAI_API_BASE', 'https://me:hunter2@host/v1', 'must be an address such as'],
    ['OPENAI_API_BASE', 'https://host/v1?key=hunter2', 'must be an address such as'],
    ['OPENAI_API_BASE', 'https://hunter2.example/v1 ', 'must be an address such as'],
    ['OPENAI_API_BASE', 'file:///hunter2', 'must be an address such as'],
    ['AGENT_MODEL', 'hunter 2', 'must be a name of 1 to 200 visible ASCII characters'],
    ['AGENT_MODEL_TIMEOUT_SECONDS', '0', 'must be a whole number from 1 to 300'],
    ['AGENT_MODEL_TIMEOUT_SECONDS', '301', 'must be a whole number from 1 to 300'],
    ['LOG_LEVEL', 'verbose', 'must be one of fatal, error, warn, info, debug, trace, silent'],
  ])('%s=%s is named, and its value is not', (name, value, expected) => {
    const { message, cause } = errorOf({ [name]: value });
    expect(message).toContain(`${name} ${expected}`);
    expect(message.replace(expected, '')).not.toContain(value);
    expect(message).not.toContain('hunter2');
    expect(cause).toBeUndefined();
  });

  it.each([
    [' 1 ', 1],
    ['99', 99],
  ])('is none: TRUSTED_PROXIES=%j is a number of proxies', (value, hops) => {
    expect(load({ TRUSTED_PROXIES: value }).server.trustedProxies).toBe(hops);
  });

  it('is what asks for strictness and for no fingerprints', () => {
    const off = { SESSION_FINGERPRINTING_ENABLED: 'false' };
    expect(load(off).fingerprint.enabled).toBe(false);
    expect(errorOf({ ...off, SESSION_FINGERPRINT_STRICT: 'true' }).message).toContain(
      'SESSION_FINGERPRINT_STRICT=true needs SESSION_FINGERPRINTING_ENABLED=true',
    );
  });

  it('is named with all the others', () => {
    const { message } = errorOf({
      SESSION_MAX_SESSIONS: 'many',
      API_PORT: 'http',
      TRUSTED_PROXIES: 'everyone',
      SESSION_DURABILITY: 'mostly',
    });
    const wrong = ['SESSION_MAX_SESSIONS', 'API_PORT', 'TRUSTED_PROXIES', 'SESSION_DURABILITY'];
    for (const name of wrong) {
      expect(message).toContain(`${name} must`);
    }
    expect(message).toContain('Correct the settings that the message names.');
  });
});

describe('a settings file', () => {
  it('is read, with comments and quotes', () => {
    const envFile = fileOf('# port', 'API_PORT=8001 # mine', 'API_HOST="0.0.0.0"', 'LOG_LEVEL=');
    expect(loadConfig({ env: {}, envFile })).toMatchObject({
      server: { port: 8001, host: '0.0.0.0' },
      logLevel: 'info',
    });
  });

  it('comes behind the environment', () => {
    const envFile = fileOf('API_PORT=8001', 'LOG_LEVEL=debug');
    const env = { API_PORT: '8002', LOG_LEVEL: undefined };
    expect(loadConfig({ env, envFile })).toMatchObject({
      server: { port: 8002 },
      logLevel: 'debug',
    });
  });

  it('is overruled by an empty value in the environment, which means the default', () => {
    const envFile = fileOf('API_PORT=8001');
    expect(loadConfig({ env: { API_PORT: '' }, envFile }).server.port).toBe(8000);
  });

  it('must exist when it was asked for', () => {
    const envFile = join(folder(), 'absent.env');
    expect(() => loadConfig({ env: {}, envFile })).toThrow(ConfigError);
    expect(() => loadConfig({ env: {}, envFile })).toThrow(
      /absent\.env could not be read \(ENOENT: there is no such file\)\. /,
    );
  });

  it('must be readable', () => {
    expect(() => loadConfig({ env: {}, envFile: folder() })).toThrow(
      / could not be read \(EISDIR: it is a folder\)\. /,
    );
    const envFile = join(fileOf('API_PORT=8001'), 'settings.env');
    expect(() => loadConfig({ env: {}, envFile })).toThrow(/ could not be read \(ENOTDIR\)\. /);
  });

  it('is .env in the working folder, if there is one', () => {
    const before = process.cwd();
    process.chdir(folder());
    onTestFinished(() => process.chdir(before));
    expect(loadConfig({ env: {} }).server.port).toBe(8000);
    writeFileSync('.env', 'API_PORT=8001\n');
    expect(loadConfig({ env: {} }).server.port).toBe(8001);
  });
});

describe('process.env', () => {
  it('is read unless another is given, and never written to', () => {
    vi.stubEnv('API_PORT', '8003');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const before = { ...process.env };
    const envFile = fileOf('SESSION_MAX_SESSIONS=7', 'API_PORT=8001');
    const config = loadConfig({ envFile });
    expect(config).toMatchObject({ session: { maxSessions: 7 }, server: { port: 8003 } });
    expect({ ...process.env }).toEqual(before);
  });
});
