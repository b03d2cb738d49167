import { describe, it } from 'vitest';
import { codecSuite } from './codec-suite.ts';

codecSuite(
  {
    cipher: 'aes-256-gcm',
    fields: [['version', 1], ['key id', 4], ['nonce', 12], ['ciphertext'], ['tag', 16]],
  },
  { describe, it },
);

codecSuite(
  {
    cipher: 'fernet',
    fields: [['version', 1], ['time', 8], ['IV', 16], ['ciphertext'], ['HMAC', 32]],
    skip: {
      'an unknown key id is named': 'a Fernet token names no key',
      'wrong key, under the id of the right one': 'a Fernet token names no key',
    },
  },
  { describe, it },
);
