import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { generateKey } from '../encryption/parse-key.ts';
import { hasOpenssl, ownCertificate } from '../testing/own-certificate.ts';
import { type Config, loadConfig } from './load-config.ts';
import { settingsSchema } from './settings.ts';

/** Settings that hold a secret, or name a file that does; those of files of certificates hold none. */
const secretSettings = Object.keys(settingsSchema.shape).filter((name) =>
  /(_KEY|_PASSWORD|_TOKEN|_URL)(_FILE)?$/.test(name),
);
const inFiles = secretSettings.filter((name) => name.endsWith('_FILE'));
const inEnvironment = secretSettings.filter((name) => !name.endsWith('_FILE'));

/** A value for the setting, and what in it is the secret. */
function planted(name: string): readonly [value: string, secret: string] {
  const secret = `planted-${name.toLowerCase().replaceAll('_', '-')}-x7Qv`;
  if (name.startsWith('SESSION_ENCRYPTION_KEY')) {
    const key = generateKey();
    return [key, key];
  }
  return name === 'REDIS_URL' ? [`rediss://ada:${secret}@127.0.0.1:1/2`, secret] : [secret, secret];
}

/** All the ways in which a configuration, or a part of it, ends up before somebody's eyes. */
function shown(config: Config): string {
  const { redis, server } = config;
  const secrets = [redis.password, redis.tls?.key, redis.sentinel?.password];
  const parts = [...secrets, server.adminApiKey, server.metricsToken, server.tls?.key];
  return [
    ...[config, ...parts].flatMap((part) => [
      JSON.stringify(part),
      inspect(part, { depth: Number.POSITIVE_INFINITY, showHidden: true }),
      String(part),
    ]),
    JSON.stringify(Object.entries({ ...redis, ...server })),
  ].join('\n');
}

const sentinels = { REDIS_SENTINEL_NODES: '127.0.0.1:1', REDIS_SENTINEL_MASTER: 'main' };

it.skipIf(!hasOpenssl)('a configuration shows no secret, from whichever setting (openssl)', () => {
  const certificates = { API_TLS: ownCertificate(), REDIS_TLS: ownCertificate() };
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-planted-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const secrets: string[] = [];
  const env: Record<string, string> = {};
  for (const [side, { certFile, keyFile, key }] of Object.entries(certificates)) {
    env[`${side}_CERT_FILE`] = certFile;
    env[`${side}_KEY_FILE`] = keyFile;
    secrets.push(...key.split('\n').filter((line) => line !== '' && !line.startsWith('-----')));
  }
  const withEnvironment = { ...env };
  for (const name of inEnvironment) {
    const [value, secret] = planted(name);
    withEnvironment[name] = value;
    secrets.push(secret);
  }
  const withFiles: Record<string, string> = { ...env, REDIS_URL: 'rediss://127.0.0.1:1' };
  for (const name of inFiles.filter((each) => !each.includes('_TLS_'))) {
    const [value, secret] = planted(name);
    withFiles[name] = join(folder, name);
    writeFileSync(join(folder, name), value);
    secrets.push(secret);
  }
  for (const settings of [withEnvironment, withFiles]) {
    for (const storeType of ['redis', 'in_memory']) {
      const config = loadConfig({
        env: { ...settings, ...sentinels, SESSION_STORE_TYPE: storeType },
        envFile: devNull,
      });
      const text = shown(config);
      expect(text).toContain('[secret]');
      for (const secret of secrets) expect(text).not.toContain(secret);
    }
  }
  // They are in it all the same.
  const { redis, server } = loadConfig({
    env: { ...withEnvironment, SESSION_STORE_TYPE: 'redis' },
    envFile: devNull,
  });
  expect(redis).toMatchObject({ url: 'rediss://127.0.0.1:1/2', username: 'ada' });
  expect(redis.password?.value).toBe(planted('REDIS_URL')[1]);
  expect(server.tls?.key.value).toBe(certificates.API_TLS.key);
});

it('a list of servers takes no user and password, which would be shown', () => {
  for (const name of ['REDIS_SENTINEL_NODES', 'REDIS_CLUSTER_NODES', 'REDIS_NAT_MAP']) {
    const env = { [name]: 'ada:planted-x7Qv@127.0.0.1:6379' };
    expect(() => loadConfig({ env, envFile: devNull })).toThrow(`${name} must be host:port`);
    expect(() => loadConfig({ env, envFile: devNull })).not.toThrow('planted');
  }
});
