import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConfigError } from '../errors/errors.ts';
import { loadConfig } from './load-config.ts';
import { settingsSchema } from './settings.ts';

const load = (env: Record<string, string>) => loadConfig({ env, envFile: '/dev/null' });

/** Which settings are warned of, and in which words. */
const warned = (env: Record<string, string>) =>
  load(env).warnings.map(({ setting, message }) => [setting, message]);

const redis = { SESSION_STORE_TYPE: 'redis' };
const production = { NODE_ENV: 'production', ADMIN_API_KEY: 'f3b1c0a97d5e42c8' };
const modelAt = (base: string) => ({ AI_PROVIDER: 'openai', OPENAI_API_BASE: base });
const key = 'JvLrPcAmt2yS4h0rBqk8aBxFnzWDr9jXlE1uYw3Qd5M=';

describe('names that are no settings', () => {
  it.each([
    ['SESSION_STORE_TYP', 'SESSION_STORE_TYPE'],
    ['REDIS_URI', 'REDIS_URL'],
    ['SESION_TIMEOUT_MINUTES', 'SESSION_TIMEOUT_MINUTES'],
    ['SESSION_ENCRYPTION_KEYS', 'SESSION_ENCRYPTION_KEY'],
    ['api_prot', 'API_PORT'],
  ])('%s earns a word of %s', (name, meant) => {
    const message = `${name} is no setting and does nothing: did you mean ${meant}?`;
    expect(warned({ [name]: 'secret-value' })).toEqual([[name, message]]);
  });

  it.each(['PATH', 'HOME', 'NODE_ENV', 'WEB_CONCURRENCY', 'SESSION_STORES', 'npm_config_cache'])(
    '%s earns none',
    (name) => {
      expect(warned({ [name]: '1' })).toEqual([]);
    },
  );

  it('that Kubernetes sets for services earn none', () => {
    const links = {
      REDIS_PORT: 'tcp://10.0.0.7:6379',
      REDIS_PORT_6379_TCP: 'tcp://10.0.0.7:6379',
      REDIS_PORT_6379_TCP_ADDR: '10.0.0.7',
      REDIS_SERVICE_HOST: '10.0.0.7',
      REDIS_URL_SERVICE_PORT: '6379',
      API_HOSTS: 'tcp://10.0.0.8:80',
    };
    expect(warned(links)).toEqual([]);
  });

  it('no setting is nearly another one, so that each means itself', () => {
    for (const name of Object.keys(settingsSchema.shape)) {
      const others = warned({ [`${name}_`]: 'x' }).map(([, message]) => message);
      expect(others).toEqual([expect.stringContaining(`did you mean ${name}?`)]);
    }
  });
});

function settingsFile(content: string | Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'settings.env');
  writeFileSync(path, content);
  return path;
}

describe('a settings file that begins with a byte order mark', () => {
  it('has its first setting', () => {
    const envFile = settingsFile('\uFEFFAPI_PORT=8123\r\nLOG_LEVEL=warn\r\n');
    const config = loadConfig({ env: {}, envFile });
    expect([config.server.port, config.logLevel, config.warnings]).toEqual([8123, 'warn', []]);
  });
});

describe('a settings file in UTF-16, or that is no text', () => {
  const utf16 = Buffer.from('\uFEFFAPI_PORT=8123\r\n', 'utf16le');
  it.each([
    ['UTF-16 with a byte order mark', utf16],
    ['UTF-16 with its bytes the other way round', Buffer.from(utf16).swap16()],
    ['UTF-16 without a mark', utf16.subarray(2)],
    ['nothing but a mark', utf16.subarray(0, 2)],
    ['a NUL behind what could be read', Buffer.from('API_PORT=8123\n\0')],
  ])('is refused and not passed over: %s', (_, bytes) => {
    const envFile = settingsFile(bytes);
    expect(() => loadConfig({ env: {}, envFile })).toThrow(
      /^The settings file .*settings\.env is in UTF-16, or no text: save it as UTF-8\. /,
    );
  });
});

describe('a service of the name api', () => {
  it('does not stop the start, and is told of', () => {
    const config = load({ API_PORT: 'tcp://10.0.0.8:80' });
    expect(config.server.port).toBe(8000);
    expect(config.warnings).toEqual([
      { setting: 'API_PORT', message: expect.stringContaining('enableServiceLinks: false') },
    ]);
  });
});

describe('names of version 1', () => {
  it('SESSION_TIMEOUT_SECONDS is the idle timeout, to the second', () => {
    const config = load({ SESSION_TIMEOUT_SECONDS: '3601' });
    expect(config.session.idleTimeoutMs).toBe(3_601_000);
    const message = 'SESSION_TIMEOUT_SECONDS is a name of version 1: set SESSION_TIMEOUT_MINUTES';
    expect(config.warnings).toEqual([{ setting: 'SESSION_TIMEOUT_SECONDS', message }]);
  });

  it("SESSION_TIMEOUT_SECONDS does not count beside today's name", () => {
    const env = { SESSION_TIMEOUT_SECONDS: '60', SESSION_TIMEOUT_MINUTES: '5' };
    expect(load(env).session.idleTimeoutMs).toBe(5 * 60_000);
    expect(warned(env)).toEqual([['SESSION_TIMEOUT_SECONDS', expect.stringContaining('not used')]]);
  });

  it('SESSION_TIMEOUT_SECONDS that is no number is refused', () => {
    const refused = () => load({ SESSION_TIMEOUT_SECONDS: 'an hour' });
    expect(refused).toThrow(ConfigError);
    expect(refused).toThrow(/^SESSION_TIMEOUT_SECONDS must be a whole number/);
  });

  it.each(['true', 'false'])('USE_SHARED_CONTEXT=%s is accepted with a notice', (value) => {
    expect(warned({ USE_SHARED_CONTEXT: value })).toEqual([
      ['USE_SHARED_CONTEXT', expect.stringContaining('version 1')],
    ]);
  });

  it.each([
    ['OPENAI_API_KEY', 'sk-secret'],
    ['OPENAI_API_BASE', 'http://secret.example/v1'],
    ['AGENT_MODEL', 'secret-model'],
    ['REDIS_HEALTH_CHECK_INTERVAL', '29'],
  ])('%s is accepted, and said to do nothing', (name, value) => {
    const [[setting, message] = []] = warned({ [name]: value });
    expect(setting).toBe(name);
    expect(message).toMatch(/not (used|needed)/);
    expect(message).not.toContain(value);
  });

  it('settings of a model over a network are said nothing of where they are used, or as by default', () => {
    const used = { OPENAI_API_KEY: 'sk-1', OPENAI_API_BASE: 'http://models.example/v1' };
    expect(warned({ ...used, AI_PROVIDER: 'openai' })).toEqual([]);
    const defaults = { OPENAI_API_BASE: 'https://api.openai.com/v1', AGENT_MODEL: 'gpt-4.1-mini' };
    expect(warned(defaults)).toEqual([]);
    // As a deployment has it that is ready for either.
    expect(warned({ OPENAI_API_KEY_FILE: '/run/secrets/key' })).toEqual([]);
  });
});

describe('settings that are allowed and maybe not meant', () => {
  it.each<[string, Record<string, string>]>([
    ['SESSION_ABSOLUTE_TIMEOUT_MINUTES', { SESSION_TIMEOUT_MINUTES: '2000' }],
    [
      'SESSION_TURN_MAX_SECONDS',
      {
        SESSION_TURN_MAX_SECONDS: '3600',
        SESSION_ABSOLUTE_TIMEOUT_MINUTES: '59',
      },
    ],
    ['SESSION_L1_CACHE_TTL_SECONDS', { ...redis, SESSION_L1_CACHE_TTL_SECONDS: '1801' }],
    ['SESSION_LOCK_TIMEOUT_SECONDS', { ...redis, SESSION_LOCK_TIMEOUT_SECONDS: '5' }],
    ['SESSION_STORE_TYPE', { REDIS_URL: 'redis://redis:6379' }],
    ['SESSION_STORE_TYPE', { ...production, WEB_CONCURRENCY: '2' }],
    ['SESSION_ENCRYPTION_KEY', { ...production, ...redis }],
    [
      'SESSION_ENCRYPTION_ENABLED',
      {
        ...{ ...production, ...redis, SESSION_ENCRYPTION_KEY: key },
        SESSION_ENCRYPTION_ENABLED: 'false',
      },
    ],
    ['ADMIN_API_KEY', { ...production, ADMIN_API_KEY: 'change-me-please' }],
    ['ADMIN_API_KEY', { ...redis, NODE_ENV: 'production', SESSION_ENCRYPTION_KEY: key }],
    ['METRICS_TOKEN', { ...production, METRICS_TOKEN: 'change-me-please' }],
    [
      'REDIS_PASSWORD',
      { ...production, ...redis, SESSION_ENCRYPTION_KEY: key, REDIS_PASSWORD: 'password' },
    ],
    ['SESSION_TIMEOUT_SECONDS', { ...redis, SESSION_TIMEOUT_SECONDS: '600' }],
    ['ADMIN_API_KEY', { ...production, ADMIN_API_KEY: '0'.repeat(16) }],
    ['SESSION_LOCKING_ENABLED', { ...production, SESSION_LOCKING_ENABLED: 'false' }],
    ['RATE_LIMIT_ENABLED', { ...production, RATE_LIMIT_ENABLED: 'false' }],
    [
      'SESSION_ENCRYPTION_ALLOW_PLAINTEXT',
      {
        ...{ ...production, ...redis, SESSION_ENCRYPTION_KEY: key },
        SESSION_ENCRYPTION_ALLOW_PLAINTEXT: 'true',
      },
    ],
    ['TRUSTED_PROXIES', { ...production, SESSION_FINGERPRINT_STRICT: 'true' }],
    ['OPENAI_API_BASE', { ...production, ...modelAt('http://models.example/v1') }],
  ])('%s is warned of by %j', (setting, env) => {
    expect(warned(env).map(([name]) => name)).toEqual([setting]);
  });

  it('the idle timeouts of two names that differ', () => {
    const env = { ...redis, SESSION_TIMEOUT_SECONDS: '600', REDIS_SESSION_TTL_SECONDS: '1200' };
    expect(warned(env).map(([name]) => name)).toEqual([
      'SESSION_TIMEOUT_SECONDS',
      'REDIS_SESSION_TTL_SECONDS',
    ]);
  });

  it.each<[string, Record<string, string>]>([
    ['the defaults', {}],
    ['Redis', redis],
    ['production in memory', production],
    ['production on Redis', { ...production, ...redis, SESSION_ENCRYPTION_KEY: key }],
    [
      'a strict fingerprint behind known proxies',
      { ...production, SESSION_FINGERPRINT_STRICT: 'true', TRUSTED_PROXIES: '10.0.0.0/8' },
    ],
    ['one worker in memory', { ...production, WEB_CONCURRENCY: '1' }],
    ['a model by https', { ...production, ...modelAt('https://models.example/v1') }],
    ['a model on this machine', { ...production, ...modelAt('http://127.0.0.1:8080/v1') }],
    ['no production', { ...redis, RATE_LIMIT_ENABLED: 'false', ADMIN_API_KEY: 'change-me-please' }],
  ])('none for %s', (_, env) => {
    expect(warned(env)).toEqual([]);
  });
});
