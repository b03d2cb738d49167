import { InMemorySessionStore } from 'holdfast/memory';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  prepareOutput,
  type TurnEvent,
} from '../../../packages/holdfast/src/lib/model/turn-event.ts';
import type { SessionStore } from '../../../packages/holdfast/src/lib/store/session-store.ts';
import type { StoreOptions } from '../../../packages/holdfast/src/lib/store/store-options.ts';
import type { BeginOptions } from '../../../packages/holdfast/src/lib/store/turn-store.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

/** A scene is played on the in-memory driver and on Redis, and must leave the same. */
async function onBoth<Result>(
  options: StoreOptions,
  scene: (store: SessionStore) => Promise<Result>,
): Promise<{ memory: Result; redis: Result }> {
  const memory = new InMemorySessionStore(options);
  onTestFinished(() => memory.close());
  const { store } = await new SharedNamespace(server.url, options).instance();
  return { memory: await scene(memory), redis: await scene(store) };
}

const nameOf = (call: Promise<unknown>) =>
  call.then(
    () => 'no error',
    ({ name }: Error) => name,
  );

const begin = (nonce: string, options: Partial<BeginOptions> = {}): BeginOptions => ({
  nonce,
  leaseMs: 30_000,
  onBusy: 'wait',
  waitMs: 60_000,
  ...options,
});

describe('a write that is refused', () => {
  const capped = async (store: SessionStore) => {
    await store.create('x', { userId: 'v' });
    await store.create('u1', { userId: 'u' });
    await store.create('u2', { userId: 'u' });
  };
  const left = async (store: SessionStore) =>
    (await store.listActive({ userId: 'u' })).sessions.map(({ id }) => id);

  it('as a creation of a taken id ends no other session of the user', async () => {
    const { memory, redis } = await onBoth({ maxPerUser: 2 }, async (store) => {
      await capped(store);
      return [await nameOf(store.create('x', { userId: 'u' })), await left(store)];
    });
    expect(redis).toEqual(['VersionConflictError', ['u1', 'u2']]);
    expect(redis).toEqual(memory);
  });

  it('as an update of another version ends no other session of the user', async () => {
    const { memory, redis } = await onBoth({ maxPerUser: 2 }, async (store) => {
      await capped(store);
      const refused = store.update('x', { userId: 'u' }, { ifVersion: 77 });
      return [await nameOf(refused), await left(store)];
    });
    expect(redis).toEqual(['VersionConflictError', ['u1', 'u2']]);
    expect(redis).toEqual(memory);
  });

  it('as a replacement of another version ends no other session of the user', async () => {
    const { memory, redis } = await onBoth({ maxPerUser: 2 }, async (store) => {
      await capped(store);
      const refused = store.set('x', { userId: 'u' }, { ifVersion: 77 });
      return [await nameOf(refused), await left(store)];
    });
    expect(redis).toEqual(['VersionConflictError', ['u1', 'u2']]);
    expect(redis).toEqual(memory);
  });

  it('does not make a session the user’s newest', async () => {
    const { memory, redis } = await onBoth({ maxPerUser: 2 }, async (store) => {
      await store.create('u1', { userId: 'u' });
      await store.create('u2', { userId: 'u' });
      await nameOf(store.create('u1', { userId: 'u' }));
      await store.create('u3', { userId: 'u' });
      return left(store);
    });
    expect(redis).toEqual(['u2', 'u3']);
    expect(redis).toEqual(memory);
  });
});

describe('a nonce', () => {
  it('of a session that was deleted is free in the one that takes its id', async () => {
    const { memory, redis } = await onBoth({}, async (store) => {
      await store.create('s');
      await store.incrementCounter('s', 'n', 1, { nonce: 'daily' });
      await store.delete('s');
      await store.create('s');
      return store.incrementCounter('s', 'n', 1, { nonce: 'daily' }).then(async (value) => ({
        value,
        counters: (await store.get('s'))?.counters,
      }));
    });
    expect(redis).toEqual({ value: 1, counters: { n: 1 } });
    expect(redis).toEqual(memory);
  });

  it('of a creation is free again when its session was deleted', async () => {
    const { memory, redis } = await onBoth({}, async (store) => {
      await store.create('s', {}, { nonce: 'setup' });
      await store.delete('s');
      await store.create('s', {}, { nonce: 'setup' });
      return store.exists('s');
    });
    expect(redis).toBe(true);
    expect(redis).toEqual(memory);
  });

  it('names another write in each operation', async () => {
    const { memory, redis } = await onBoth({}, async (store) => {
      await store.create('s', {}, { nonce: 'same' });
      const begun = await store.begin('s', begin('holder'));
      if (begun.kind !== 'granted') throw new Error('It was a repeat.');
      await store.incrementCounter('s', 'x');
      const changes = { nonce: 'same', increments: new Map([['c', 1]]) };
      await store.commit(begun.lease, changes, { keep: false, outcome: undefined });
      return (await store.get('s'))?.counters;
    });
    expect(redis).toEqual({ x: 1, c: 1 });
    expect(redis).toEqual(memory);
  });
});

it('another request under the key of a running turn is a mismatch at once', async () => {
  const { memory, redis } = await onBoth({}, async (store) => {
    await store.create('s');
    const keyed = (requestDigest: string) => ({ idempotency: { key: 'k', requestDigest } });
    await store.begin('s', begin('first', keyed('one')));
    return [
      await nameOf(store.begin('s', begin('second', keyed('two')))),
      await nameOf(store.begin('s', begin('third', { ...keyed('two'), onBusy: 'reject' }))),
    ];
  });
  expect(redis).toEqual(['IdempotencyMismatchError', 'IdempotencyMismatchError']);
  expect(redis).toEqual(memory);
});

it('a limit that is no number of messages is refused', async () => {
  const { memory, redis } = await onBoth({}, async (store) => {
    await store.create('s');
    return nameOf(store.messages('s', { limit: Number.POSITIVE_INFINITY }));
  });
  expect(redis).toBe('ValidationError');
  expect(redis).toEqual(memory);
});

describe('a store that is closed', () => {
  const textOf = ({ done, value }: IteratorResult<TurnEvent>) =>
    done ? 'over' : (value.text ?? value.type);
  const startsTurn = async (store: SessionStore) => {
    await store.create('s');
    const begun = await store.begin('s', begin('n'));
    if (begun.kind !== 'granted') throw new Error('The session is free.');
    return begun.lease;
  };
  const piece = (text: string) => prepareOutput({ type: 'text', text });

  it('ends those who wait for live output, and refuses those who come', async () => {
    const { memory, redis } = await onBoth({}, async (store) => {
      await store.create('s');
      let ready = () => {};
      const isReady = new Promise<void>((resolve) => {
        ready = resolve;
      });
      const events = store.subscribe('s', { onReady: () => ready() });
      const waiting = [events.next(), events.next()];
      await isReady;
      await store.close();
      const ended = (await Promise.all(waiting)).map(textOf);
      const later = store.subscribe('s');
      return [...ended, textOf(await events.next()), await nameOf(later.next())];
    });
    expect(redis).toEqual(['over', 'over', 'over', 'StoreUnavailableError']);
    expect(redis).toEqual(memory);
  });

  it('ends those who have not read all that is there, behind it', async () => {
    const { memory, redis } = await onBoth({}, async (store) => {
      const lease = await startsTurn(store);
      await store.emit(lease, [piece('1'), piece('2'), piece('3')], 'e');
      const events = store.subscribe('s', { after: 0 });
      const first = textOf(await events.next());
      await store.close();
      const rest = [await events.next(), await events.next(), await events.next()];
      return [first, ...rest.map(textOf)];
    });
    expect(redis).toEqual(['1', '2', '3', 'over']);
    expect(redis).toEqual(memory);
  });

  it('ends those who are about to read', async () => {
    const { memory, redis } = await onBoth({}, async (store) => {
      await store.create('s');
      const events = store.subscribe('s', { after: 0 });
      const next = events.next();
      await store.close();
      return [await next.then(textOf, ({ name }: Error) => name), textOf(await events.next())];
    });
    expect(redis).toEqual(['over', 'over']);
    expect(redis).toEqual(memory);
  });
});
