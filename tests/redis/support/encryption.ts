import {
  type CipherName,
  type Codec,
  createCodec,
  generateKey,
  KeyRing,
} from 'holdfast/encryption';

const ring = KeyRing.parse(generateKey());

/** All of one namespace share a key: each value is bound to its place. */
export function encrypting(namespace: string, cipher: CipherName = 'aes-256-gcm'): Codec {
  return createCodec(ring, { namespace, cipher });
}
