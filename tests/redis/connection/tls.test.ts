import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ConfigError,
  StoreUnavailableError,
} from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { RedisLink } from '../../../packages/holdfast/src/lib/redis/connection/link/redis-link.ts';
import type { RedisTls } from '../../../packages/holdfast/src/lib/redis/connection/redis-address.ts';
import { makeTemporaryFolder, removeFolder } from '../../helpers/temporary-folder.ts';
import { certificate, hasOpenssl } from '../support/certificate.ts';
import { echo, linkOptions, openedLink, rejection, startedRedis } from './fixtures.ts';

/** Below the ports that systems hand out, and free a moment ago. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 22_000 + Math.floor(Math.random() * 8000);
    const server = createServer();
    const listening = once(server.listen(port, '127.0.0.1'), 'listening').then(
      () => true,
      () => false,
    );
    if (!(await listening)) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

async function tlsRedis(files: { key: string; cert: string }, ...more: string[]) {
  const port = await freePort();
  const tls = ['--tls-port', `${port}`, '--tls-cert-file', files.cert, '--tls-key-file', files.key];
  const ca = ['--tls-ca-cert-file', files.cert];
  const redis = await startedRedis({ args: [...tls, ...ca, ...more] });
  return { redis, url: `rediss://127.0.0.1:${port}` };
}

async function failure(url: string, tls?: RedisTls, connectTimeoutMs = 60_000) {
  const address = { url, ...(tls === undefined ? {} : { tls }) };
  const options = linkOptions(address, { connectTimeoutMs });
  const error = await rejection(RedisLink.open(options));
  return { error, logged: options.logger.messages('error') };
}

describe.skipIf(!hasOpenssl)('TLS (skipped without the openssl command)', () => {
  let files: ReturnType<typeof certificate>;
  let folder: string;

  beforeAll(() => {
    folder = makeTemporaryFolder();
    files = certificate(folder, 'server', 2);
  });

  afterAll(() => removeFolder(folder));

  it('trusts the given authority, checks the name, and carries calls and messages', async () => {
    const { url } = await tlsRedis(files, '--tls-auth-clients', 'no');
    const { link } = await openedLink({ url, tls: { ca: files.pem } });
    expect(await link.call(echo, [], ['x'])).toEqual([Buffer.from('x')]);
    const message = new Promise((resolve) => {
      link.subscribe('channel', resolve).then(() => link.command(['PUBLISH', 'channel', 'm']));
    });
    expect(await message).toEqual(Buffer.from('m'));
    await openedLink({ url, tls: { ca: files.pem, servername: 'redis.test' } });
    await openedLink({ url, tls: { rejectUnauthorized: false } });

    const untrusted = await failure(url);
    expect(untrusted.error).toBeInstanceOf(ConfigError);
    expect(untrusted.logged).toEqual(['Redis ping failed: Certificate refused']);
    const misnamed = await failure(url, { ca: files.pem, servername: 'other.test' });
    expect(misnamed.error).toBeInstanceOf(ConfigError);
    expect(misnamed.logged).toEqual(['Redis ping failed: Certificate refused']);
  });

  it('presents a client certificate to a server that asks for one', async () => {
    const { url } = await tlsRedis(files, '--tls-auth-clients', 'yes');
    const key = readFileSync(files.key, 'utf8');
    const tls = { ca: files.pem, cert: files.pem, key };
    const { link } = await openedLink({ url, tls });
    expect(await link.command(['PING'])).toEqual(Buffer.from('PONG'));
    const without = await failure(url, { ca: files.pem });
    expect(without.logged).toEqual([
      expect.stringMatching(/^Redis ping failed: (TLS refused|Connection closed)$/),
    ]);
    expect(without.error.message).toMatch(/client certificate|rediss/);
  });

  it('says what is wrong when only one side speaks TLS', async () => {
    const { redis, url } = await tlsRedis(files, '--tls-auth-clients', 'no');
    // A server without TLS may take the greeting for the beginning of a command, and wait for more.
    const plainPort = await failure(redis.url.replace('redis:', 'rediss:'), {}, 500);
    expect(plainPort.error.message).toContain('rediss://');
    expect(plainPort.logged).toEqual([
      expect.stringMatching(/^Redis ping failed: (TLS refused|Connection closed|Timed out)$/),
    ]);
    const tlsPort = await failure(url.replace('rediss:', 'redis:'));
    expect(tlsPort.error).toBeInstanceOf(StoreUnavailableError);
    expect(tlsPort.error.message).toContain('rediss://');
    expect(tlsPort.logged).toEqual(['Redis ping failed: Connection closed']);
  });
});
