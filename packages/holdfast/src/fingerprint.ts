export type { FingerprintKey } from './lib/fingerprint/feature-key.ts';
export {
  Fingerprinter,
  type FingerprinterOptions,
  type FingerprintPart,
} from './lib/fingerprint/fingerprinter.ts';
export type { ClientBinding, ClientInfo } from './lib/manager/client-binding.ts';
