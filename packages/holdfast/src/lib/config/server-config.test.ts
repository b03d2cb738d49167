import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
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

const load = (env: Record<string, string>): Config => loadConfig({ env, envFile: devNull });

function refusal(env: Record<string, string>): string {
  try {
    load(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.message).not.toContain('hunter2');
    return error.message;
  }
  throw new Error('It was accepted.');
}

const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

describe.each([
  ['ADMIN_API_KEY', 'adminApiKey'],
  ['METRICS_TOKEN', 'metricsToken'],
] as const)('%s_FILE', (name, property) => {
  it('holds the key', () => {
    const key = 'k'.repeat(16);
    expect(load({ [`${name}_FILE`]: file(`${key}\n`) }).server[property]?.value).toBe(key);
    // As editors on Windows write it.
    const marked = file(`\uFEFF${key}\r\n`);
    expect(load({ [`${name}_FILE`]: marked }).server[property]?.value).toBe(key);
  });

  it.each([
    ['hunter2\n', 'whose content must have 16 characters or more'],
    ['\n', 'that holds no key'],
    [`${'hunter2'.repeat(3)} \n`, 'whose content must be visible ASCII characters'],
    [`${'hunter2'.repeat(3)}\n\n`, 'whose content must be visible ASCII characters'],
    [`hunter2-pässe-hunter2`, 'whose content must be visible ASCII characters'],
  ])('of %j is refused', (content, why) => {
    expect(refusal({ [`${name}_FILE`]: file(content) })).toContain(
      `${name}_FILE names a file ${why}`,
    );
  });

  it(`and ${name} exclude each other`, () => {
    const env = { [name]: 'k'.repeat(16), [`${name}_FILE`]: file('k'.repeat(16)) };
    expect(refusal(env)).toContain(`${name} and ${name}_FILE are both set: leave one out`);
  });
});

describe('the API_TLS files', () => {
  it.skipIf(!hasOpenssl)('are read (openssl)', () => {
    const { certFile, keyFile, cert, key } = ownCertificate();
    const { tls } = load({ API_TLS_CERT_FILE: certFile, API_TLS_KEY_FILE: keyFile }).server;
    expect([tls?.cert, tls?.key.value]).toEqual([cert, key]);
  });

  it.skipIf(!hasOpenssl)('must be a pair, of a key without a passphrase (openssl)', () => {
    const [one, other] = [ownCertificate(), ownCertificate()];
    const locked = ownCertificate('-passout', 'pass:hunter2');
    for (const [certFile, keyFile] of [
      [one.certFile, other.keyFile],
      [locked.certFile, locked.keyFile],
      [file(pem), file(pem)],
    ]) {
      expect(
        refusal({ API_TLS_CERT_FILE: certFile ?? '', API_TLS_KEY_FILE: keyFile ?? '' }),
      ).toContain(
        'API_TLS_CERT_FILE and API_TLS_KEY_FILE must name a certificate and its own private key, which has no passphrase',
      );
    }
  });

  it.each(['API_TLS_CERT_FILE', 'API_TLS_KEY_FILE'])('%s must be PEM, and not alone', (name) => {
    const message = refusal({ [name]: file('hunter2') });
    expect(message).toContain(`${name} names a file that is not PEM`);
    expect(message).toContain('API_TLS_CERT_FILE and API_TLS_KEY_FILE are needed together');
  });
});
