import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const openssl = process.env.OPENSSL_BIN ?? 'openssl';

/** For tests that need certificates: only it makes them. */
export const hasOpenssl = spawnSync(openssl, ['version']).status === 0;

/** The files of a certificate that signs itself and of its key, until the test ends; and what is in them. */
export function ownCertificate(...options: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-certificate-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const protection = options.includes('-passout') ? [] : ['-nodes'];
  execFileSync(
    openssl,
    [
      ...['req', '-x509', ...algorithm, ...protection, '-subj', '/CN=localhost'],
      ...['-keyout', keyFile, '-out', certFile, ...options],
    ],
    { stdio: 'ignore' },
  );
  const [cert, key] = [readFileSync(certFile, 'utf8'), readFileSync(keyFile, 'utf8')];
  return { certFile, keyFile, cert, key };
}
