import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKey } from 'holdfast/encryption';
import { expect, inject, it, onTestFinished } from 'vitest';
import { startProcess } from '../helpers/child-process.ts';
import { certificate, hasOpenssl } from '../redis/support/certificate.ts';
import { startRedis } from '../servers/redis-server.ts';
import { start } from './command-line.ts';

/** A secret in every setting that can hold one, and what must be nowhere. */
function planted(folder: string) {
  const secret = (name: string) => `planted-${name}-x7Qv81Zp`;
  const [current, old, python] = [generateKey(), generateKey(), generateKey()];
  const { key, cert } = certificate(folder, 'api', 30);
  const token = join(folder, 'token');
  writeFileSync(token, secret('token'));
  const lines = readFileSync(key, 'utf8').split('\n');
  return {
    env: {
      SESSION_ENCRYPTION_KEY: `${current},${old}`,
      ADMIN_API_KEY: secret('admin'),
      METRICS_TOKEN_FILE: token,
      REDIS_PASSWORD: secret('other'),
      REDIS_SENTINEL_PASSWORD: secret('sentinel'),
      API_TLS_CERT_FILE: cert,
      API_TLS_KEY_FILE: key,
      PYTHON_V2_ENCRYPTION_KEY: python,
    },
    secrets: [
      ...['admin', 'token', 'other', 'sentinel', 'redis', 'wrong'].map(secret),
      ...[current, old, python],
      ...lines.filter((line) => line !== '' && !line.startsWith('-----')),
    ],
    secret,
  };
}

const commands = [
  ...['doctor', 'doctor --json', 'stats', 'cleanup', 'rekey', 'bench --seconds 1'],
  ...['sessions list', 'sessions show a', 'sessions tail a', 'sessions delete a --yes'],
  ...['sessions revoke-user a --yes', 'sessions export a', 'sessions erase a --yes'],
  ...[
    'migrate python-v2',
    'migrate python-v2 --from-url redis://:planted-wrong-x7Qv81Zp@127.0.0.1:1',
  ],
];

it.skipIf(!hasOpenssl)(
  'no command and no start shows a secret, well or broken (openssl)',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-planted-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const { env, secrets, secret } = planted(folder);
    const redis = await startRedis({ args: ['--requirepass', secret('redis')] });
    onTestFinished(() => redis.stop());
    const { port } = new URL(redis.url);
    const url = (password: string, at = port) => `redis://:${password}@127.0.0.1:${at}`;
    const base = {
      ...{ ...env, SESSION_STORE_TYPE: 'redis', LOG_LEVEL: 'debug', API_PORT: '0' },
      ...{ REDIS_SOCKET_CONNECT_TIMEOUT: '60', SESSION_LOCK_TIMEOUT_SECONDS: '60' },
    };
    const scenes: Record<string, Record<string, string>> = {
      well: { ...base, REDIS_URL: url(secret('redis')), PYTHON_V2_REDIS_URL: url(secret('redis')) },
      'a wrong password': { ...base, REDIS_URL: url(secret('wrong')) },
      'nobody there': { ...base, REDIS_URL: url(secret('redis'), '1') },
      'a malformed URL': { ...base, REDIS_URL: `redis://:${secret('redis')}/@127.0.0.1` },
      'wrong settings': {
        ...base,
        REDIS_URL: secret('redis'),
        REDIS_SENTINEL_NODES: `ada:${secret('sentinel')}@127.0.0.1:1`,
        SESSION_ENCRYPTION_KEY: secret('wrong'),
        API_TLS_KEY_FILE: env.API_TLS_CERT_FILE,
      },
    };
    const seen: Record<string, string> = {};
    for (const [name, settings] of Object.entries(scenes)) {
      await Promise.all(
        commands.map(async (words) => {
          const running = start(words.split(' '), settings);
          await running.exit;
          seen[`${name}: ${words}`] = running.stdout + running.stderr;
        }),
      );
      const server = startProcess(process.execPath, ['packages/support-agent/dist/main.js'], {
        ...{ cwd: inject('builtCopy'), env: settings },
      });
      if (name === 'well') {
        await server.says(/is ready at https/);
        server.send('SIGHUP');
        await server.says(/read again/);
        server.send('SIGTERM');
      }
      const { code } = await server.exit;
      expect(code, name).toBe(name === 'well' ? 0 : 1);
      seen[`${name}: server`] = server.stdout + server.stderr;
    }
    for (const [where, text] of Object.entries(seen)) {
      for (const each of secrets)
        expect(text.includes(each), `${each} in ${where}:\n${text}`).toBe(false);
    }
    expect(seen['well: doctor']).toContain('✓ redis');
  },
);
