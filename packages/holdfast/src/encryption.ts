export type { Codec, RecordKind, RecordPlace } from './lib/codec/codec.ts';
export { type CipherName, type CodecOptions, createCodec } from './lib/encryption/create-codec.ts';
export { encryptionsOf, maxEncryptions } from './lib/encryption/encryption-bound.ts';
export {
  type FernetDecryptOptions,
  type FernetEncryptOptions,
  fernet,
} from './lib/encryption/fernet.ts';
export { type DerivedKey, KeyRing } from './lib/encryption/key-ring.ts';
export { generateKey, parseKey } from './lib/encryption/parse-key.ts';
export type { RingKey } from './lib/encryption/ring-key.ts';
