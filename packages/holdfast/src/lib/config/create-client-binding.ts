import { type ClientBinding, unbound } from '../manager/client-binding.ts';
import type { Config } from './load-config.ts';

/**
 * How the configuration binds sessions to their clients. Only fingerprints load what reads a
 * User-Agent. Their hashes have no key of their own: what is bound is encrypted with the session, and
 * outlives the rotation of keys (docs/decisions/014).
 */
export async function createClientBinding({
  enabled,
  bind,
}: Config['fingerprint']): Promise<ClientBinding> {
  if (!enabled) return unbound;
  const { Fingerprinter } = await import('../fingerprint/fingerprinter.ts');
  return new Fingerprinter({ bind });
}
