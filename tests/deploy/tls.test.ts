import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, type RequestOptions, request } from 'node:https';
import { join } from 'node:path';
import { json, text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { startProcess } from '../helpers/child-process.ts';
import { repositoryRoot } from '../helpers/repository.ts';
import { findRedisServer } from '../servers/find-redis-server.ts';
import { startRedis } from '../servers/redis-server.ts';
import { composeFile } from './compose-file.ts';
import { DockerDns } from './docker-dns.ts';
import { freePort, LoadBalancer, nginx } from './load-balancer.ts';
import { madeBy } from './made-by.ts';
import { loopbackAddresses, Replica } from './replica.ts';

const openssl = 'openssl';
const hasOpenssl = spawnSync(openssl, ['version']).status === 0;

/** Everything of `docker-compose.tls.yml` as processes, with its certificates. */
async function composed() {
  const certificates = join(
    await madeBy('make-certificates.sh', {
      REDIS_NAMES: 'DNS:redis,IP:127.0.0.1',
    }),
    'certificates',
  );
  const here = (value: string) => value.replace('/run/tls', certificates);
  const { services } = composeFile('docker-compose.tls.yml');
  const redisPort = await freePort();
  // The port without TLS is there for what starts the server in tests: none is `--port 0`.
  const args = (services.redis?.command ?? []).slice(1).map(here);
  const at = args.indexOf('--tls-port');
  expect(args.slice(at - 2, at + 2)).toEqual(['--port', '0', '--tls-port', '6379']);
  args.splice(at - 2, 4, '--tls-port', String(redisPort));
  const redis = await startRedis({ args });
  const dns = await DockerDns.start();
  const base = composeFile().services.replica?.environment;
  const tls = Object.entries(services.replica?.environment ?? {});
  const env: Record<string, string> = {
    ...base,
    ...Object.fromEntries(tls.map(([name, value]) => [name, here(value)])),
    REDIS_URL: `rediss://127.0.0.1:${redisPort}`,
    LOG_LEVEL: 'warn',
  };
  const replicas = loopbackAddresses(2).map((address) => new Replica(address, dns, env));
  await Promise.all(replicas.map((one) => one.start()));
  const places = { '/run/tls': certificates };
  const balancer = await LoadBalancer.start({ config: 'tls.conf', dns, places });
  return { redis, redisPort, replicas, balancer, certificates, env };
}

function asking(port: number, ca: Buffer) {
  const agent = new Agent({ ca, servername: 'localhost' });
  return async (method: string, path: string, options: RequestOptions = {}, body?: object) => {
    const headers = { ...options.headers, ...(body && { 'content-type': 'application/json' }) };
    const asked = request({ ...options, host: '127.0.0.1', port, agent, method, path, headers });
    asked.end(body && JSON.stringify(body));
    const [response] = await once(asked, 'response');
    const answer = (await json(response)) as Record<string, unknown>;
    return { status: response.statusCode, headers: response.headers, body: answer };
  };
}

it.skipIf(!hasOpenssl)(
  'make-certificates.sh says of a certificate that is there already that it stays as it is (openssl)',
  async () => {
    const folder = await madeBy('make-certificates.sh');
    const certificate = () => readFileSync(join(folder, 'certificates/replica.crt'), 'utf8');
    const first = certificate();
    const again = startProcess('sh', [join(folder, 'make-certificates.sh')], {
      cwd: folder,
      env: { REPLICA_NAMES: 'DNS:holdfast' },
    });
    expect(await again.exit).toMatchObject({ code: 0 });
    expect(again.stdout).toContain(
      'certificates/replica.crt is there already: remove it to have one for DNS:holdfast.',
    );
    expect(certificate()).toBe(first);
  },
);

describe.skipIf(process.platform !== 'linux' || nginx === undefined || !hasOpenssl)(
  'the TLS variant, on real processes (nginx and openssl, on Linux)',
  () => {
    it('carries a conversation, and no hop takes anything else', async () => {
      const { redis, redisPort, replicas, balancer, certificates, env } = await composed();
      await using _ = redis;
      const ca = readFileSync(join(certificates, 'ca.crt'));
      const ask = asking(balancer.port, ca);
      const opened = await ask('POST', '/api/sessions');
      expect(opened.status).toBe(201);
      expect(opened.headers['strict-transport-security']).toContain('max-age=');
      const { session_id: id, token } = opened.body;
      const headers = { authorization: `Bearer ${token}`, 'idempotency-key': 'k-1' };
      const path = `/api/sessions/${id}/messages`;
      const message = 'How long does a refund take?';
      expect(await ask('POST', path, { headers }, { message })).toMatchObject({ status: 200 });
      // Each of the replicas, in turn.
      for (const _replica of replicas) {
        const { body } = await ask('GET', path, { headers });
        expect(body.messages).toContainEqual(expect.objectContaining({ role: 'user' }));
      }

      const [{ address } = { address: '' }] = replicas;
      await expect(fetch(`http://${address}:8000/health/live`)).rejects.toThrow();
      await expect(fetch(`http://127.0.0.1:${balancer.port}/health/live`)).resolves.toMatchObject({
        status: 400, // nginx: plain HTTP was sent to an HTTPS port
      });
      // Redis wants a certificate of its authority.
      const stranger = connect({ port: redisPort, host: '127.0.0.1', ca, servername: 'redis' });
      stranger.write('PING\r\n');
      await expect(text(stranger)).rejects.toThrow(/certificate required/i);

      // The image's own check, and Redis's.
      const check = join(repositoryRoot, 'deploy/healthcheck.mjs');
      const checkedAt = (host: string) =>
        startProcess(process.execPath, [check], {
          cwd: repositoryRoot,
          env: { ...env, API_HOST: host },
        }).exit;
      expect(await checkedAt(address)).toMatchObject({ code: 0 });
      await replicas[0]?.stop();
      expect(await checkedAt(address)).toMatchObject({ code: 1 });
      const [, command] =
        composeFile('docker-compose.tls.yml').services.redis?.healthcheck?.test ?? [];
      const { command: server, env: serverEnv } = await findRedisServer();
      const cli = server.replace(/(redis|valkey)-server$/, '$1-cli');
      const shell = String(command)
        .replace('redis-cli', `${cli} -p ${redisPort}`)
        .replaceAll('/run/tls', certificates);
      expect(spawnSync('sh', ['-c', shell], { env: serverEnv }).status).toBe(0);
    });

    it('does not talk to a replica whose certificate another authority made', async () => {
      const [ours, theirs] = await Promise.all([
        madeBy('make-certificates.sh'),
        madeBy('make-certificates.sh'),
      ]);
      const dns = await DockerDns.start();
      const [address = ''] = loopbackAddresses(1);
      const replica = new Replica(address, dns, {
        API_PORT: '8000',
        API_TLS_CERT_FILE: join(theirs, 'certificates/replica.crt'),
        API_TLS_KEY_FILE: join(theirs, 'certificates/replica.key'),
      });
      await replica.start();
      const places = { '/run/tls': join(ours, 'certificates') };
      const balancer = await LoadBalancer.start({ config: 'tls.conf', dns, places });
      const agent = new Agent({ rejectUnauthorized: false });
      const asked = request({
        host: '127.0.0.1',
        port: balancer.port,
        agent,
        path: '/health/live',
      });
      asked.end();
      const [response] = await once(asked, 'response');
      expect(response.statusCode).toBe(502);
      response.resume();
    });
  },
);
