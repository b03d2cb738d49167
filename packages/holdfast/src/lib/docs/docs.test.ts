import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../config/load-config.ts';
import { settingsSchema } from '../config/settings.ts';
import { errorRegistry } from '../errors/registry.ts';
import { configurationPage } from './configuration-page.ts';
import { documentedSettings } from './documented-settings.ts';
import { envExample } from './env-example.ts';
import { errorsPage } from './errors-page.ts';

const fileOf = (path: string) => fileURLToPath(new URL(`../../../../../${path}`, import.meta.url));

/** `npm run docs` writes what these files should hold. */
describe('the documentation', () => {
  it.each([
    ['docs/errors.md', errorsPage],
    ['docs/configuration.md', configurationPage],
    ['.env.example', envExample],
  ])('%s says what the sources say', async (path, page) => {
    await expect(page()).toMatchFileSnapshot(fileOf(path));
  });
});

describe('docs/errors.md', () => {
  it('has every code with its class, status and remedy', () => {
    const page = errorsPage();
    for (const [code, { className, status, remedy }] of Object.entries(errorRegistry)) {
      const [row] = page.split('\n').filter((line) => line.startsWith(`| \`${code}\` |`));
      expect(row).toContain(`| \`${className}\` | ${status} |`);
      expect(row).toContain(`| ${remedy} |`);
    }
  });
});

describe('the documented settings', () => {
  const settings = documentedSettings().flatMap((group) => group.settings);

  it('are those of the schema, each in one group', () => {
    const names = settings.map(({ name }) => name);
    expect(names.toSorted()).toEqual(Object.keys(settingsSchema.shape).toSorted());
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(settings)('$name has a meaning and its values', ({ meaning, values }) => {
    expect(meaning).toMatch(/^[A-Z].*\.$/);
    expect(values).not.toBe('');
  });

  it('are read out of the schema right', () => {
    const byName = Object.fromEntries(settings.map((setting) => [setting.name, setting]));
    expect(byName.SESSION_MAX_SESSIONS).toMatchObject({
      values: '1 to 16777216',
      fallback: '10000',
    });
    expect(byName.SESSION_LOCKING_ENABLED).toMatchObject({
      values: 'true, false',
      fallback: 'true',
    });
    expect(byName.SESSION_MAX_PER_USER_POLICY).toMatchObject({
      values: 'evict_oldest, reject',
      fallback: 'evict_oldest',
    });
    expect(byName.REDIS_URL).toMatchObject({
      values: 'text',
      fallback: 'redis://localhost:6379/0',
    });
    expect(byName.REDIS_SESSION_TTL_SECONDS).toMatchObject({
      values: '1 to 2073600',
      fallback: null,
    });
    expect(byName.API_HOST).toMatchObject({ values: 'text', fallback: 'localhost' });
    expect(byName.ADMIN_API_KEY).toMatchObject({
      values: 'text of 16 characters or more',
      fallback: null,
    });
    expect(byName.SESSION_FINGERPRINT_BIND).toMatchObject({
      values: 'some of ip, user_agent, comma-separated',
      fallback: 'ip,user_agent',
    });
    expect(byName.TRUSTED_PROXIES).toMatchObject({ values: 'text', fallback: '' });
  });
});

describe('.env.example', () => {
  it('copied to .env as it is, loads and changes nothing', () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-docs-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [copied, empty] = [join(folder, '.env'), join(folder, 'empty.env')];
    writeFileSync(copied, envExample());
    writeFileSync(empty, '');
    expect(loadConfig({ env: {}, envFile: copied })).toEqual(
      loadConfig({ env: {}, envFile: empty }),
    );
  });

  it('sets every setting that has a default, and shows the others', () => {
    const text = envExample();
    const set = parseEnv(text);
    const shown = [...text.matchAll(/^# ([A-Z_]+)=$/gm)].map(([, name]) => name);
    expect([...Object.keys(set), ...shown].toSorted()).toEqual(
      Object.keys(settingsSchema.shape).toSorted(),
    );
    expect(shown).toEqual([
      ...['REDIS_SENTINEL_NODES', 'REDIS_SENTINEL_MASTER', 'REDIS_SENTINEL_PASSWORD'],
      ...['REDIS_SENTINEL_PASSWORD_FILE'],
      ...['REDIS_CLUSTER_NODES', 'REDIS_NAT_MAP'],
      ...['REDIS_PASSWORD', 'REDIS_PASSWORD_FILE', 'REDIS_TLS_CA_FILE', 'REDIS_TLS_CERT_FILE'],
      ...['REDIS_TLS_KEY_FILE', 'REDIS_SESSION_TTL_SECONDS', 'SESSION_ENCRYPTION_ENABLED'],
      ...['SESSION_ENCRYPTION_KEY', 'SESSION_ENCRYPTION_KEY_FILE'],
      ...['API_TLS_CERT_FILE', 'API_TLS_KEY_FILE', 'ADMIN_API_KEY', 'ADMIN_API_KEY_FILE'],
      ...['METRICS_TOKEN', 'METRICS_TOKEN_FILE', 'CORS_ORIGINS', 'TRUSTED_PROXIES'],
      ...['OPENAI_API_KEY', 'OPENAI_API_KEY_FILE', 'KNOWLEDGE_DIR'],
    ]);
  });
});
