import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const openssl = process.env.OPENSSL_BIN ?? 'openssl';
export const hasOpenssl = spawnSync(openssl, ['version']).status === 0;

/** Signs itself; `days` after now it expires. */
export function certificate(folder: string, name: string, days: number) {
  const key = join(folder, `${name}.key`);
  const cert = join(folder, `${name}.crt`);
  const names = 'subjectAltName=DNS:redis.test,IP:127.0.0.1';
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=redis.test'];
  const files = ['-keyout', key, '-out', cert];
  execFileSync(openssl, [...args, '-addext', names, '-days', `${days}`, ...files], {
    stdio: 'ignore',
  });
  return { key, cert, pem: readFileSync(cert, 'utf8') };
}
