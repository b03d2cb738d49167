import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { readPem } from './named-files.ts';
import { Secret } from './secret.ts';
import type { Settings } from './settings.ts';

/** A certificate, with the chain above it, and its own private key; PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: Secret;
}

/**
 * The certificate and the key that the two settings name; undefined where they name none.
 * @param wrong gets a sentence for what cannot be used, without its path or content
 */
export function readKeyPair(
  side: 'API_TLS' | 'REDIS_TLS',
  settings: Settings,
  wrong: string[],
): KeyPair | undefined {
  const names = [`${side}_CERT_FILE`, `${side}_KEY_FILE`] as const;
  const [cert, key] = names.map((name) => readPem(name, settings, wrong));
  if ((settings[names[0]] === undefined) !== (settings[names[1]] === undefined)) {
    wrong.push(`${names.join(' and ')} are needed together: set both`);
  }
  if (cert === undefined || key === undefined) return undefined;
  try {
    createSecureContext({ cert, key });
  } catch {
    wrong.push(
      `${names.join(' and ')} must name a certificate and its own private key, which has no passphrase`,
    );
    return undefined;
  }
  return { cert, key: Secret.of(key) };
}

/** Certificates of authorities, PEM; undefined where the setting names none. */
export function readAuthorities(settings: Settings, wrong: string[]): string | undefined {
  const ca = readPem('REDIS_TLS_CA_FILE', settings, wrong);
  if (ca === undefined) return undefined;
  try {
    // Of a bundle the first one: what is no certificate would be passed over, and nothing trusted then.
    new X509Certificate(ca);
    return ca;
  } catch {
    wrong.push('REDIS_TLS_CA_FILE names a file that has no certificate which can be read');
    return undefined;
  }
}
