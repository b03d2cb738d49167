import { InMemorySessionStore } from 'holdfast/memory';
import { expect, it, onTestFinished } from 'vitest';
import { RecordingLogger, startedRedis } from '../connection/fixtures.ts';
import { encrypting } from '../support/encryption.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';

const stores = {
  'in memory': async (logger: RecordingLogger, encrypted: boolean) => {
    const codec = encrypted ? encrypting('memory') : undefined;
    const store = new InMemorySessionStore({ logger, codec });
    onTestFinished(() => store.close());
    return store;
  },
  'on Redis': async (logger: RecordingLogger, encrypted: boolean) => {
    const place = new SharedNamespace((await startedRedis()).url);
    const codec = encrypted ? encrypting(place.keyPrefix) : undefined;
    return (await place.instance({ logger, codec })).store;
  },
};

const warnings = (logger: RecordingLogger) =>
  logger.messages('warn').filter((message) => message.includes('session ids are not encrypted'));

it.each(Object.entries(stores))(
  'a user’s id as that of a session is warned of once, where encryption would hide it: %s',
  async (_, open) => {
    const [logger, plainLogger] = [new RecordingLogger(), new RecordingLogger()];
    const [store, plain] = [await open(logger, true), await open(plainLogger, false)];
    for (const each of [store, plain]) {
      await each.create('a-random-one', { userId: 'user-1' });
      await each.create('user-2');
    }
    expect(warnings(logger)).toEqual([]);
    for (const each of [store, plain]) {
      await each.create('user-3', { userId: 'user-3' });
      await each.create('user-4', { userId: 'user-4' });
    }
    expect(warnings(logger)).toHaveLength(1);
    expect(warnings(logger)[0]).not.toContain('user-3');
    expect(warnings(plainLogger)).toEqual([]);
  },
);

it.each(Object.entries(stores))(
  'so it is where the session gets its user later: %s',
  async (_, open) => {
    const logger = new RecordingLogger();
    const store = await open(logger, true);
    await store.create('user-1');
    await store.update('user-1', { metadata: { plan: 'pro' } });
    expect(warnings(logger)).toEqual([]);
    await store.update('user-1', { userId: 'user-1' });
    await store.update('user-1', { userId: 'user-2' });
    await store.update('user-1', { userId: 'user-1' });
    expect(warnings(logger)).toHaveLength(1);
  },
);
