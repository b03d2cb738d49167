import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CipherName, createCodec } from '../encryption/create-codec.ts';
import { KeyRing } from '../encryption/key-ring.ts';
import { generateKey } from '../encryption/parse-key.ts';
import { DecryptionError } from '../errors/errors.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { sessionStoreSuite } from '../testing/suite/session-store-suite.ts';
import { InMemorySessionStore } from './in-memory-session-store.ts';

const ring = KeyRing.parse(generateKey());

for (const cipher of ['aes-256-gcm', 'fernet'] satisfies CipherName[]) {
  sessionStoreSuite(
    {
      name: `in memory, ${cipher}`,
      clock: new FakeClock(),
      create: async (options) => {
        const codec = createCodec(ring, { cipher, namespace: randomUUID() });
        const store = new InMemorySessionStore({ ...options, codec });
        return { open: async () => store, dispose: () => store.close() };
      },
    },
    { describe, it, beforeEach, afterEach },
  );
}

it('cannot be read any more when its key leaves the ring', async () => {
  const keys = KeyRing.parse(generateKey());
  const codec = createCodec(keys, { namespace: 'memory' });
  const store = new InMemorySessionStore({ codec });
  await store.create('s');
  await store.appendMessages('s', [{ role: 'user', content: 'Hello' }]);
  keys.replace(generateKey());
  await expect(store.messages('s')).rejects.toThrow(DecryptionError);
  await store.close();
});
