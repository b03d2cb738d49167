import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConfigError } from '../errors/errors.ts';
import { hasOpenssl, ownCertificate } from '../testing/own-certificate.ts';
import { type Config, loadConfig } from './load-config.ts';

function file(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-secret-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'hunter2');
  writeFileSync(path, content);
  return path;
}

const load = (env: Record<string, string>): Config =>
  loadConfig({ env: { SESSION_STORE_TYPE: 'redis', ...env }, envFile: devNull });

function refusal(env: Record<string, string>): string {
  try {
    load(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.message).not.toContain('hunter2');
    expect(error.cause).toBeUndefined();
    return error.message;
  }
  throw new Error('It was accepted.');
}

const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

describe('REDIS_PASSWORD_FILE', () => {
  it.each([
    ['hunter2\n', 'hunter2'],
    ['hunter2\r\n', 'hunter2'],
    ['hunter2', 'hunter2'],
    [' hunter 2 \n\n', ' hunter 2 \n'],
  ])('%j holds the password %j', (content, password) => {
    expect(load({ REDIS_PASSWORD_FILE: file(content) }).redis.password?.value).toBe(password);
  });

  it('must hold one', () => {
    expect(refusal({ REDIS_PASSWORD_FILE: file('\n') })).toContain(
      'REDIS_PASSWORD_FILE names a file that holds no password',
    );
  });

  it('must be readable', () => {
    const env = { REDIS_PASSWORD_FILE: '/nowhere/hunter2', REDIS_TLS_CA_FILE: '/' };
    expect(refusal(env)).toBe(
      'REDIS_PASSWORD_FILE names a file that could not be read (ENOENT: there is no such file); REDIS_TLS_CA_FILE names a file that could not be read (EISDIR: it is a folder). Correct the settings that the message names.',
    );
  });

  it('and REDIS_PASSWORD exclude each other', () => {
    const env = { REDIS_PASSWORD: 'hunter2', REDIS_PASSWORD_FILE: file('hunter2') };
    expect(refusal(env)).toContain('both set: leave one out');
  });

  it('is told of with everything else that is wrong', () => {
    const message = refusal({
      REDIS_PASSWORD_FILE: '/nowhere',
      REDIS_SENTINEL_NODES: 'localhost:7000',
    });
    expect(message).toContain('REDIS_SENTINEL_NODES and REDIS_SENTINEL_MASTER are needed together');
    expect(message).toContain('REDIS_PASSWORD_FILE names a file');
  });
});

describe('the TLS files', () => {
  const rediss = { REDIS_URL: 'rediss://localhost' };

  it.skipIf(!hasOpenssl)('are read (openssl)', () => {
    const { certFile, keyFile, cert, key } = ownCertificate();
    const { tls } = load({
      ...rediss,
      REDIS_TLS_CA_FILE: certFile,
      REDIS_TLS_CERT_FILE: certFile,
      REDIS_TLS_KEY_FILE: keyFile,
    }).redis;
    expect([tls?.ca, tls?.cert, tls?.key?.value]).toEqual([cert, cert, key]);
  });

  it('may be of authorities alone', () => {
    const [ca = ''] = rootCertificates;
    expect(load({ ...rediss, REDIS_TLS_CA_FILE: file(ca) }).redis.tls).toEqual({ ca });
    expect(refusal({ ...rediss, REDIS_TLS_CA_FILE: file(pem) })).toContain(
      'REDIS_TLS_CA_FILE names a file that has no certificate which can be read',
    );
  });

  it('need a URL that asks for TLS', () => {
    const [ca = ''] = rootCertificates;
    expect(refusal({ REDIS_TLS_CA_FILE: file(ca) })).toContain('REDIS_URL is not rediss://');
  });

  it.each(['REDIS_TLS_CA_FILE', 'REDIS_TLS_CERT_FILE', 'REDIS_TLS_KEY_FILE'])(
    '%s must be PEM',
    (name) => {
      expect(refusal({ [name]: file('hunter2') })).toContain(
        `${name} names a file that is not PEM`,
      );
    },
  );

  it.each(['REDIS_TLS_CERT_FILE', 'REDIS_TLS_KEY_FILE'])('%s needs the other one', (name) => {
    expect(refusal({ [name]: file(pem) })).toContain(
      'REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE are needed together',
    );
  });
});

describe('the password of REDIS_URL', () => {
  it('is kept apart from where Redis is', () => {
    const { url, username, password } = load({ REDIS_URL: 'redis://ada:hunter%2F2@redis:7' }).redis;
    expect([url, username, password?.value]).toEqual(['redis://redis:7/0', 'ada', 'hunter/2']);
  });

  it('goes before REDIS_PASSWORD, with a warning', () => {
    const env = { REDIS_URL: 'redis://:hunter2@redis', REDIS_PASSWORD: 'other' };
    const { redis, warnings } = load(env);
    expect(redis.password?.value).toBe('hunter2');
    expect(warnings).toEqual([
      {
        setting: 'REDIS_PASSWORD',
        message: expect.stringContaining('the one of REDIS_URL counts'),
      },
    ]);
  });

  it('is needed where there is a user', () => {
    const url = { REDIS_URL: 'redis://ada@redis' };
    expect(refusal(url)).toContain('REDIS_URL names a user but there is no password');
    expect(load({ ...url, REDIS_PASSWORD_FILE: file('hunter2') }).redis).toMatchObject({
      username: 'ada',
    });
  });
});

it('reads no file for sessions in memory', () => {
  const { redis } = load({
    SESSION_STORE_TYPE: 'in_memory',
    REDIS_PASSWORD_FILE: '/nowhere',
    REDIS_TLS_CA_FILE: '/nowhere',
    REDIS_TLS_KEY_FILE: '/nowhere',
  });
  expect([redis.password, redis.tls]).toEqual([undefined, undefined]);
});

describe('REDIS_SESSION_TTL_SECONDS', () => {
  const idle = (env: Record<string, string>) => {
    const { session, warnings } = load(env);
    return [session.idleTimeoutMs, warnings.map(({ setting }) => setting)];
  };

  it('is the idle timeout on Redis', () => {
    expect(idle({ REDIS_SESSION_TTL_SECONDS: '90' })).toEqual([90_000, []]);
    expect(idle({ SESSION_TIMEOUT_MINUTES: '2' })).toEqual([120_000, []]);
  });

  it('counts, with a warning, where SESSION_TIMEOUT_MINUTES says something else', () => {
    const env = { REDIS_SESSION_TTL_SECONDS: '90', SESSION_TIMEOUT_MINUTES: '2' };
    expect(idle(env)).toEqual([90_000, ['REDIS_SESSION_TTL_SECONDS']]);
    expect(idle({ ...env, REDIS_SESSION_TTL_SECONDS: '120' })).toEqual([120_000, []]);
  });

  it('means nothing in memory', () => {
    const env = { REDIS_SESSION_TTL_SECONDS: '90', SESSION_STORE_TYPE: 'in_memory' };
    expect(idle(env)).toEqual([30 * 60_000, []]);
    expect(idle({ ...env, SESSION_TIMEOUT_MINUTES: '2' })).toEqual([120_000, []]);
  });
});

it('takes no notice of what Kubernetes sets for a service named redis', () => {
  const service = {
    REDIS_PORT: 'tcp://10.0.0.11:6379',
    REDIS_SERVICE_HOST: '10.0.0.11',
    REDIS_SERVICE_PORT: '6379',
    REDIS_PORT_6379_TCP: 'tcp://10.0.0.11:6379',
    REDIS_PORT_6379_TCP_ADDR: '10.0.0.11',
  };
  expect(load(service)).toEqual(load({}));
});

describe('where the servers are', () => {
  it('is one server unless something else is set', () => {
    expect(load({}).redis).toMatchObject({ cluster: undefined, natMap: {}, durability: 'async' });
    expect(load({}).redis.sentinel).toBeUndefined();
  });

  it('are sentinels and the name of their primary', () => {
    const env = {
      SESSION_STORE_TYPE: 'redis',
      REDIS_SENTINEL_NODES: 'one:26379, [::1]:26380',
      REDIS_SENTINEL_MASTER: 'sessions',
      REDIS_SENTINEL_PASSWORD: 'hunter2',
    };
    const nodes = ['one:26379', '[::1]:26380'];
    const { sentinel } = load(env).redis;
    expect(sentinel).toMatchObject({ nodes, master: 'sessions' });
    expect(sentinel?.password?.value).toBe('hunter2');
    const { REDIS_SENTINEL_PASSWORD: _, ...others } = env;
    const inFile = load({ ...others, REDIS_SENTINEL_PASSWORD_FILE: file('hunter3\n') });
    expect(inFile.redis.sentinel?.password?.value).toBe('hunter3');
  });

  it('are nodes of a cluster, reached elsewhere than they say', () => {
    const env = {
      REDIS_CLUSTER_NODES: '10.0.0.1:6379,10.0.0.2:6379',
      REDIS_NAT_MAP: '10.0.0.1:6379=localhost:7001, 10.0.0.2:6379=localhost:7002',
      SESSION_DURABILITY: 'replicated',
    };
    expect(load(env).redis).toMatchObject({
      cluster: { nodes: ['10.0.0.1:6379', '10.0.0.2:6379'] },
      natMap: { '10.0.0.1:6379': 'localhost:7001', '10.0.0.2:6379': 'localhost:7002' },
      durability: 'replicated',
    });
  });

  it.each([
    [{ REDIS_SENTINEL_NODES: 'one:26379' }, 'are needed together: set both'],
    [{ REDIS_SENTINEL_MASTER: 'sessions' }, 'are needed together: set both'],
    [
      {
        REDIS_CLUSTER_NODES: 'one:6379',
        REDIS_SENTINEL_NODES: 'one:26379',
        REDIS_SENTINEL_MASTER: 'sessions',
      },
      'are both set: leave one out',
    ],
    [{ REDIS_CLUSTER_NODES: 'redis://one:6379' }, 'REDIS_CLUSTER_NODES must be host:port'],
    [{ REDIS_CLUSTER_NODES: 'one:hunter2' }, 'REDIS_CLUSTER_NODES must be host:port'],
    [{ REDIS_CLUSTER_NODES: 'one:65536' }, 'REDIS_CLUSTER_NODES must be host:port'],
    [{ REDIS_NAT_MAP: 'one:6379' }, 'REDIS_NAT_MAP must be host:port=host:port'],
    [
      { SESSION_DURABILITY: 'replicated', REDIS_MAX_CONNECTIONS: '2' },
      'needs REDIS_MAX_CONNECTIONS of 3 or more',
    ],
  ])('is refused when it makes no sense: %j', (env, why) => {
    const message = refusal(env);
    expect(message).toContain(why);
    expect(message).not.toContain('hunter2');
  });
});
