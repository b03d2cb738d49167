import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { generateKey } from 'holdfast/encryption';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeTemporaryFolder, removeFolder } from '../helpers/temporary-folder.ts';
import { asking } from '../redis/support/asking.ts';
import { certificate, hasOpenssl } from '../redis/support/certificate.ts';
import { RedisCluster } from '../servers/redis-cluster.ts';
import { type RedisOptions, startRedis } from '../servers/redis-server.ts';
import { expectToFit, hasTerminals, run, scene, startInTerminal } from './command-line.ts';

interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly message: string;
  readonly remedy?: string;
}

type Env = Record<string, string>;

/** What it finds with these settings, and how it ends. */
async function found(env: Env) {
  const { code, stdout } = await run(['doctor', '--json'], env);
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: readonly Finding[] };
  expect(code).toBe(ok ? 0 : 1);
  const textOf = ({ message, remedy = '' }: Finding) => `${message} ${remedy}`;
  const of = (status: Finding['status']) =>
    findings.filter((finding) => finding.status === status).map(textOf);
  return { ok, findings, failures: of('failed'), warnings: of('warning') };
}

async function redisFor(options: RedisOptions = {}): Promise<string> {
  const redis = await startRedis(options);
  onTestFinished(() => redis.stop());
  return redis.url;
}

const durable = ['--appendonly', 'yes', '--appendfsync', 'no'];
const on = (url: string, more: Env = {}): Env => ({
  ...{ SESSION_STORE_TYPE: 'redis', REDIS_URL: url, SESSION_ENCRYPTION_KEY: generateKey() },
  ...{ REDIS_SOCKET_CONNECT_TIMEOUT: '60', ...more },
});

/** A thing that is wrong, made by `env`, and what must be said of it. */
const broken: readonly {
  what: string;
  env: () => Env | Promise<Env>;
  says: RegExp;
}[] = [
  {
    what: 'a port that is no number',
    env: () => ({ API_PORT: 'eight thousand' }),
    says: /API_PORT must be a whole number/,
  },
  {
    what: 'encryption without a key',
    env: () => ({ SESSION_ENCRYPTION_ENABLED: 'true' }),
    says: /there is no key: set SESSION_ENCRYPTION_KEY/,
  },
  {
    what: 'a key that is too short',
    env: () => ({ SESSION_ENCRYPTION_KEY: 'c2hvcnQ=' }),
    says: /SESSION_ENCRYPTION_KEY/,
  },
  {
    what: 'a Redis that is not there',
    env: async () => {
      const redis = await startRedis();
      await redis.stop();
      return on(redis.url);
    },
    says: /refused the connection.*Start it, or correct the host and port in REDIS_URL/,
  },
  {
    what: 'a wrong password',
    env: async () =>
      on(await redisFor({ args: ['--requirepass', 'right'] }), { REDIS_PASSWORD: 'wrong' }),
    says: /password/i,
  },
  {
    what: 'a server that is no Redis',
    env: async () => {
      const server = createServer((_, response) => response.end('Hello'));
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve);
      });
      onTestFinished(() => void server.close());
      const { port } = server.address() as AddressInfo;
      return on(`redis://127.0.0.1:${port}`);
    },
    says: /Redis at redis:\/\/127\.0\.0\.1:\d+\/0 answers, but not as a Redis does\. Correct the host and port in REDIS_URL/,
  },
  {
    what: "a cluster's node",
    env: async () => on(await redisFor({ args: ['--cluster-enabled', 'yes'] })),
    says: /REDIS_CLUSTER_NODES/,
  },
  {
    what: 'a replica',
    env: async () => {
      const primary = new URL(await redisFor());
      return on(await redisFor({ args: ['--replicaof', `127.0.0.1 ${primary.port}`] }));
    },
    says: /read-only replica: point REDIS_URL at its primary/,
  },
  {
    what: 'a server that evicts',
    env: async () =>
      on(
        await redisFor({
          args: [...durable, '--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru'],
        }),
      ),
    says: /maxmemory-policy is allkeys-lru.*noeviction/,
  },
  {
    what: 'keys that are not those of the sessions',
    env: async () => {
      const { opened, env } = await scene();
      const { createCodec, KeyRing } = await import('holdfast/encryption');
      const namespace = env.REDIS_SESSION_KEY_PREFIX;
      const codec = createCodec(KeyRing.parse(generateKey()), {
        ...{ cipher: 'aes-256-gcm', allowPlaintext: false, namespace },
      });
      await (await opened({ codec })).create('sealed');
      return { ...env, SESSION_ENCRYPTION_KEY: generateKey() };
    },
    says: /1 of 1 sessions that were tried cannot be read \(sealed\).*Add the key that wrote them/,
  },
  {
    what: 'sessions of another version',
    env: async () => {
      const { opened, env, redis } = await scene();
      await opened();
      const ask = await asking(redis.url);
      await ask('HSET', `${env.REDIS_SESSION_KEY_PREFIX}namespace`, 'format', '2');
      return env;
    },
    says: /have format 2, which this version cannot read/,
  },
  {
    what: 'replicated durability without a replica',
    env: async () => on(await redisFor({ args: durable }), { SESSION_DURABILITY: 'replicated' }),
    says: /there is no replica.*SESSION_DURABILITY=async/,
  },
  {
    what: 'a user that may not run scripts',
    env: async () => {
      const url = await redisFor({ args: durable });
      const ask = await asking(url);
      await ask('ACL', 'SETUSER', 'default', '-@scripting');
      return on(url);
    },
    says: /may not|NOPERM|ACL/i,
  },
  {
    what: 'sentinels that do not know the primary',
    env: () => ({ SESSION_STORE_TYPE: 'redis', REDIS_SENTINEL_NODES: '127.0.0.1:1' }),
    says: /REDIS_SENTINEL_NODES and REDIS_SENTINEL_MASTER are needed together/,
  },
];

describe('holdfast doctor, of what the server itself needs', () => {
  const folder = () => {
    const path = makeTemporaryFolder();
    onTestFinished(() => removeFolder(path));
    return path;
  };
  const pair = ({ cert, key }: { cert: string; key: string }) => ({
    ...{ API_TLS_CERT_FILE: cert, API_TLS_KEY_FILE: key },
  });

  it.skipIf(!hasOpenssl)(
    'tries a certificate with its key, and looks when it ends (openssl)',
    async () => {
      const [long, soon] = [certificate(folder(), 'a', 90), certificate(folder(), 'b', 3)];
      expect((await found(pair(long))).findings).toContainEqual(
        expect.objectContaining({ check: 'certificate', status: 'ok' }),
      );
      expect((await found(pair(soon))).warnings.join()).toMatch(/CN=redis\.test.*until .*Renew it/);
      const { failures } = await found(pair({ cert: long.cert, key: soon.key }));
      expect(failures).toEqual([expect.stringMatching(/a certificate and its own private key/)]);
    },
  );

  it('looks whether there are articles', async () => {
    const path = folder();
    const of = (dir: string) => found({ KNOWLEDGE_DIR: dir });
    expect((await of(join(path, 'none'))).failures.join()).toMatch(/There is no folder .*none/);
    writeFileSync(join(path, 'empty.md'), '');
    writeFileSync(join(path, '.hidden.md'), '# Hidden');
    expect((await of(path)).failures.join()).toMatch(/No article that can be read/);
    writeFileSync(join(path, 'returns.md'), '# Returns');
    const { ok, findings } = await of(path);
    expect(ok).toBe(true);
    expect(findings.map(({ message }) => message).join()).toContain('1 article in ');
    expect((await of(join(path, 'returns.md'))).failures.join()).toContain('(ENOTDIR)');
  });
});

describe('holdfast doctor', () => {
  it.each(broken)('names the cause of $what', async ({ env, says }) => {
    const { ok, failures } = await found(await env());
    expect(ok).toBe(false);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatch(says);
  });

  it('finds nothing wrong where nothing is', async () => {
    const { env } = await scene({ SESSION_ENCRYPTION_KEY: generateKey() });
    const { ok, findings } = await found(env);
    expect(ok).toBe(true);
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
    const checks = findings.map(({ check }) => check);
    for (const check of [
      'settings',
      'encryption',
      'redis',
      'version',
      'memory',
      'disk',
      'latency',
    ]) {
      expect(checks).toContain(check);
    }
    for (const check of ['clock', 'scripts', 'replicas', 'probe', 'keys']) {
      expect(checks).toContain(check);
    }
  });

  it('says of a key that encrypts nothing what turns it on', async () => {
    const key = { SESSION_ENCRYPTION_KEY: generateKey(), SESSION_ENCRYPTION_ENABLED: 'false' };
    const { env } = await scene(key);
    const { ok, warnings } = await found(env);
    expect(ok).toBe(true);
    expect(warnings).toEqual([expect.stringMatching(/SESSION_ENCRYPTION_ENABLED is false/)]);
  });

  it('warns of what may be lost: misspelt names, no disk, no encryption, replicas that need not have it', async () => {
    const primary = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
    onTestFinished(() => primary.stop());
    const replica = await startRedis({ args: ['--replicaof', `127.0.0.1 ${primary.port}`] });
    onTestFinished(() => replica.stop());
    const ask = await asking(primary.url);
    await expect
      .poll(async () => String(await ask('INFO', 'replication')), { timeout: 60_000 })
      .toContain('connected_slaves:1');
    const { ok, warnings } = await found({
      ...{ SESSION_STORE_TYPE: 'redis', REDIS_URL: primary.url, SESION_TIMEOUT_MINUTES: '5' },
      REDIS_SOCKET_CONNECT_TIMEOUT: '60',
    });
    expect(ok).toBe(true);
    const all = warnings.join('\n');
    expect(all).toMatch(/did you mean SESSION_TIMEOUT_MINUTES\?/);
    expect(all).toMatch(/Nothing goes to disk.*appendonly yes/);
    expect(all).toMatch(/reads the conversations.*holdfast keygen/);
    expect(all).toMatch(/min-replicas-to-write 1/);
  });

  it('of a cluster, warns of what makes one primary stop the others, of stale reads, and of no replica', async () => {
    const cluster = await RedisCluster.start({ replicas: 0, redis: { persistence: 'aof' } });
    onTestFinished(() => cluster.stop());
    const env = on('redis://cluster', { REDIS_CLUSTER_NODES: cluster.addresses.join(',') });
    const before = await found(env);
    expect(before.ok).toBe(true);
    const ofCluster = before.findings.filter(({ check }) => check === 'cluster');
    expect(ofCluster.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok']);
    expect(before.warnings).toHaveLength(3);
    for (const each of before.warnings)
      expect(each).toMatch(/nobody takes over.*a replica on another/);
    const [ask] = await Promise.all(cluster.primaries.map(({ url }) => asking(url)));
    await ask?.('CONFIG', 'SET', 'cluster-require-full-coverage', 'yes');
    await ask?.('CONFIG', 'SET', 'cluster-allow-reads-when-down', 'yes');
    const { ok, warnings } = await found(env);
    expect(ok).toBe(true);
    expect(warnings.join('\n')).toMatch(/all of them refuse.*cluster-require-full-coverage no/);
    expect(warnings.join('\n')).toMatch(/revoked meanwhile.*cluster-allow-reads-when-down no/);
    expect(warnings).toHaveLength(5);
    // Whichever primaries have what a store needs at its start, not all of them do.
    const failures: string[] = [];
    for (const { url } of cluster.primaries) {
      const admin = await asking(url);
      await admin('CONFIG', 'SET', 'min-replicas-to-write', '1');
      failures.push(...(await found(env)).failures);
      await admin('CONFIG', 'SET', 'min-replicas-to-write', '0');
    }
    expect(failures.join('\n')).toMatch(/None; without 1 the server refuses every write/);
  });

  it('says when writes need more replicas than there are, and when a cut-off primary takes some for long', async () => {
    const { env, redis, opened } = await scene({ SESSION_ENCRYPTION_KEY: generateKey() });
    await opened();
    const ask = await asking(redis.url);
    await ask('CONFIG', 'SET', 'min-replicas-to-write', '1');
    const { failures } = await found(env);
    expect(failures).toEqual([expect.stringMatching(/too few replicas are connected.*Bring its/)]);
    const [host, port] = new URL(redis.url).host.split(':');
    await ask('CONFIG', 'SET', 'repl-diskless-sync-delay', '0');
    const replica = await startRedis({ args: ['--replicaof', `${host} ${port}`] });
    onTestFinished(() => replica.stop());
    await expect
      .poll(async () => String(await ask('INFO', 'replication')), { timeout: 60_000 })
      .toMatch(/connected_slaves:1[\s\S]*state=online/);
    const lagOf = async (seconds: string) => {
      await ask('CONFIG', 'SET', 'min-replicas-max-lag', seconds);
      const { findings } = await found(env);
      return findings.find(({ check }) => check === 'replicas');
    };
    expect(await lagOf('10')).toMatchObject({
      status: 'warning',
      message: expect.stringContaining('goes on taking writes for 10 s'),
      remedy: 'In redis.conf: min-replicas-max-lag 1.',
    });
    expect(await lagOf('0')).toMatchObject({ status: 'warning' });
    expect(await lagOf('3')).toMatchObject({
      status: 'ok',
      message: '1; without 1 nothing is written, as when one is away or has taken over.',
    });
  });

  it('tells several wrong settings apart, and never shows a value', async () => {
    const folder = makeTemporaryFolder();
    onTestFinished(() => removeFolder(folder));
    const secret = randomUUID();
    const file = join(folder, 'settings.env');
    writeFileSync(
      file,
      `API_PORT=${secret}\nSESSION_ENCRYPTION_KEY=${secret}\nLOG_LEVEL=${secret}\n`,
    );
    const { code, stdout, stderr } = await run(['doctor', '--settings', file]);
    expect(code).toBe(1);
    expect(stdout + stderr).not.toContain(secret);
    expect(stdout).toMatch(/^✗ settings +API_PORT/m);
    expect(stdout).toMatch(/^✗ settings +LOG_LEVEL/m);
    expect(stdout).toMatch(/checks failed\.$/m);
  });

  it.skipIf(!hasTerminals)('fits a terminal of 80 columns', async () => {
    const { env } = await scene();
    const running = startInTerminal(['doctor'], env);
    expect(await running.exit).toMatchObject({ code: 0 });
    expect(running.stdout).toContain('✓ redis');
    expectToFit(running.stdout);
  });
});
