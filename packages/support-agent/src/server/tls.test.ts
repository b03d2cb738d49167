import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { json, text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { ConfigError, loadConfig } from 'holdfast';
import { FakeClock } from 'holdfast/testing';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GatedModel } from '../testing/gated-model.ts';
import { type ServeOptions, serve } from './serve.ts';

const openssl = process.env.OPENSSL_BIN ?? 'openssl';
const hasOpenssl = spawnSync(openssl, ['version']).status === 0;

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-tls-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** A certificate for localhost that signs itself. */
function certificate() {
  const [cert, key] = ['cert', 'key'].map((name) => join(folder(), name)) as [string, string];
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost'];
  const names = ['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert];
  execFileSync(openssl, [...args, ...names], { stdio: 'ignore' });
  return { API_TLS_CERT_FILE: cert, API_TLS_KEY_FILE: key };
}

async function start(env: Record<string, string>, more: Partial<ServeOptions> = {}) {
  const server = await serve({
    config: loadConfig({ env: { API_PORT: '0', ...env }, envFile: devNull }),
    logger: pino({ level: 'silent' }),
    ...more,
  });
  onTestFinished(() => server.close());
  return { server, port: server.port, printed: server.greeting.split('\n') };
}

describe('a server with a certificate', () => {
  it.skipIf(!hasOpenssl)('speaks HTTPS, and nothing else (openssl)', async () => {
    const files = certificate();
    const { port, printed } = await start(files);
    expect(printed[0]).toBe(`Holdfast is ready at https://localhost:${port}`);
    const get = (options: object) => {
      const asked = request({ port, host: '127.0.0.1', path: '/health/ready', ...options });
      asked.end();
      return asked;
    };
    const trusted = { servername: 'localhost', ca: readFileSync(files.API_TLS_CERT_FILE) };
    const [response] = await once(get({ ...trusted, agent: false }), 'response');
    expect([response.statusCode, await text(response)]).toEqual([200, '{"ready":true}']);
    await expect(once(get({ ...trusted, maxVersion: 'TLSv1.1' }), 'response')).rejects.toThrow();
    await expect(fetch(`http://127.0.0.1:${port}/health/ready`)).rejects.toThrow();
  });

  it.skipIf(!hasOpenssl)(
    'ends connections that were never used when it closes, and no other (openssl)',
    async () => {
      const model = new GatedModel();
      // Its ten seconds never come.
      const { server, port } = await start(certificate(), { model, clock: new FakeClock() });
      const post = (path: string, token: string, body: object) => {
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
        const to = { port, host: '127.0.0.1', path, method: 'POST', headers, agent: false };
        const asked = request({ ...to, rejectUnauthorized: false });
        asked.end(JSON.stringify(body));
        return once(asked, 'response').then(([response]) => json(response)) as Promise<{
          readonly [name: string]: string;
        }>;
      };
      const { session_id: id, token = '' } = await post('/api/sessions', '', {});
      const answer = post(`/api/sessions/${id}/messages`, token, { message: 'Hello' });
      const question = await model.nextQuestion();
      const secured = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
      await once(secured, 'secureConnect');
      const bare = connectPlain(port, '127.0.0.1');
      await once(bare, 'connect');
      const ended = [secured, bare].map((socket) =>
        once(
          socket.on('error', () => {}),
          'close',
        ),
      );
      const closed = server.close();
      await Promise.all(ended);
      question.answer('Hi!');
      expect(await answer).toMatchObject({ message: 'Hi!' });
      await closed;
    },
  );

  it('does not start on files that are none', async () => {
    const file = join(folder(), 'hunter2');
    writeFileSync(file, '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n');
    const failure = start({ API_TLS_CERT_FILE: file, API_TLS_KEY_FILE: file });
    await expect(failure).rejects.toThrow(ConfigError);
    await expect(failure).rejects.toThrow('API_TLS_CERT_FILE and API_TLS_KEY_FILE must name');
  });
});
