import type { FingerprintKey } from '../fingerprint/feature-key.ts';
import { type ClientBinding, unbound } from '../manager/client-binding.ts';
import type { Config } from './load-config.ts';

/**
 * How the configuration binds sessions to their clients. Only fingerprints load what reads a
 * User-Agent.
 *
 * @param keys for the hashes of what is bound: the first writes, all are compared.
 */
export async function createClientBinding(
  { enabled, bind }: Config['fingerprint'],
  keys: readonly FingerprintKey[] = [],
): Promise<ClientBinding> {
  if (!enabled) return unbound;
  const { Fingerprinter } = await import('../fingerprint/fingerprinter.ts');
  return new Fingerprinter({ keys, bind });
}
