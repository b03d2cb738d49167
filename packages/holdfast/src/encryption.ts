export type { Codec } from './lib/codec/codec.ts';
export { type Cipher, createCodec, type EncryptionOptions } from './lib/encryption/create-codec.ts';
export {
  type FernetDecryptOptions,
  type FernetEncryptOptions,
  fernet,
} from './lib/encryption/fernet.ts';
export { KeyRing, type KeyRingOptions, type RingKey } from './lib/encryption/key-ring.ts';
export { generateKey } from './lib/encryption/parse-key.ts';
