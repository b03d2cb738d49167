import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type CipherName, createCodec } from '../encryption/create-codec.ts';
import { KeyRing } from '../encryption/key-ring.ts';
import { generateKey } from '../encryption/parse-key.ts';
import { DecryptionError } from '../errors/errors.ts';
import type { JsonObject } from '../json/json-value.ts';
import { SessionManager } from '../manager/session-manager.ts';
import type { MetadataSchema } from '../model/metadata.ts';
import type { ListOptions } from '../store/session-store.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { sessionStoreSuite } from '../testing/suite/session-store-suite.ts';
import { InMemorySessionStore } from './in-memory-session-store.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

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

it('ends sessions that cannot be read any more as any others', async () => {
  const keys = KeyRing.parse(generateKey());
  const codec = createCodec(keys, { namespace: 'memory' });
  const clock = new FakeClock();
  const store = new InMemorySessionStore({ codec, clock, idleTimeoutMs: 60_000 });
  const ended: string[] = [];
  store.on('deleted', ({ sessionId, userId }) => ended.push(`deleted ${sessionId} ${userId}`));
  store.on('expired', ({ sessionId, userId }) => ended.push(`expired ${sessionId} ${userId}`));
  const ids = ['one', 'other', 'third', 'fourth', 'last'];
  for (const id of ids) await store.create(id, { userId: 'ada', status: 'closed' });
  keys.replace(generateKey());
  // What was handed out lately can be read while somebody has it.
  await vi.waitUntil(async () => {
    collectGarbage();
    const { unreadable } = await store.listActive({ status: 'closed' });
    return unreadable.length === ids.length;
  });
  expect(await store.delete('one')).toBe(true);
  expect(await store.deleteUser('ada', { except: 'third' })).toBe(3);
  await store.create('new', { userId: 'ada' });
  await clock.advance(120_000);
  expect(ended.slice(0, 4).sort()).toEqual(
    ['fourth', 'last', 'one', 'other'].map((id) => `deleted ${id} ada`),
  );
  expect(ended.slice(4).sort()).toEqual(['expired new ada', 'expired third ada']);
  expect(await store.listActive()).toEqual({ sessions: [], unreadable: [], cursor: null });
  expect(await store.listActive({ status: 'closed' })).toMatchObject({ unreadable: [] });
  await store.close();
});

it('names a session that the schema refuses by now in a page, which has the others', async () => {
  const codec = createCodec(KeyRing.parse(generateKey()), { namespace: 'memory' });
  let refused: string | undefined;
  const metadata: MetadataSchema<JsonObject, JsonObject> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) =>
        (value as JsonObject).plan === refused
          ? { issues: [{ message: 'no such plan' }] }
          : { value: value as JsonObject },
    },
  };
  const store = new InMemorySessionStore({ codec, metadata });
  for (const plan of ['free', 'pro', 'team']) {
    await store.create(plan, { userId: 'ada', metadata: { plan } });
  }
  refused = 'pro';
  const page = async (options: ListOptions) => {
    const { sessions, unreadable, cursor } = await store.listActive(options);
    return [sessions.map(({ id }) => id), unreadable.map(({ id }) => id), cursor];
  };
  expect((await store.listActive()).unreadable).toMatchObject([
    { id: 'pro', code: 'VALIDATION', isDamaged: false },
  ]);
  expect(await page({ limit: 2 })).toEqual([['free', 'team'], ['pro'], null]);
  expect(await page({ userId: 'ada' })).toEqual([['free', 'team'], ['pro'], null]);
  expect(await page({ status: 'closed' })).toEqual([[], [], null]);
  await store.close();
});

it('opens live output once for all who read it together', async () => {
  const codec = createCodec(KeyRing.parse(generateKey()), { namespace: 'memory' });
  const decode = vi.spyOn(codec, 'decode');
  const store = new InMemorySessionStore({ codec });
  const sessions = new SessionManager({ store });
  await store.create('s');
  const readers = Array.from({ length: 3 }, () => store.subscribe('s'));
  const given = readers.map((events) => events.next());
  await sessions.turn('s', async (turn) => turn.emit({ type: 'text', text: 'Hi' }));
  const [first, ...others] = await Promise.all(given);
  expect(first?.value).toMatchObject({ seq: 1 });
  for (const { value } of others) expect(value).toBe(first?.value);
  const opened = decode.mock.calls.filter(([, { kind }]) => kind === 'output');
  expect(opened).toHaveLength(1);
  await sessions.close();
});
