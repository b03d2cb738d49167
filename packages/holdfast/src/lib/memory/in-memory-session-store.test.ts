import { describe, expect, it } from 'vitest';
import { ConfigError, StoreFullError, StoreUnavailableError } from '../errors/errors.ts';
import { SessionManager } from '../manager/session-manager.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import {
  InMemorySessionStore,
  type InMemorySessionStoreOptions,
} from './in-memory-session-store.ts';

const leaseMs = 1_000;

function setUp(options: InMemorySessionStoreOptions = {}) {
  const clock = new FakeClock();
  const store = new InMemorySessionStore({ clock, idleTimeoutMs: 60_000, ...options });
  const begin = async (id: string) => {
    const begun = await store.begin(id, {
      nonce: crypto.randomUUID(),
      leaseMs,
      onBusy: 'reject',
      waitMs: 0,
    });
    if (begun.kind !== 'granted') throw new TypeError('a repeat');
    return begun.lease;
  };
  const ids = async () =>
    (await store.listActive({ limit: 200 })).sessions.map(({ id }) => id).sort();
  return { clock, store, begin, ids };
}

describe('capacity', () => {
  it('evicts the least recently active session, and tells of it', async () => {
    const { store, ids } = setUp({ maxSessions: 3 });
    const evicted: string[] = [];
    store.on('evicted', ({ sessionId }) => evicted.push(sessionId));
    for (const id of ['a', 'b', 'c']) await store.create(id);
    await store.touch('a');
    await store.get('b'); // a read is no activity
    await store.incrementCounter('c', 'n');
    await store.create('d');
    expect(await ids()).toEqual(['a', 'c', 'd']);
    await store.create('e');
    expect(await ids()).toEqual(['c', 'd', 'e']);
    expect(evicted).toEqual(['b', 'a']);
  });

  it('takes what has expired before it evicts what has not', async () => {
    const { clock, store, ids } = setUp({ maxSessions: 2 });
    const events: string[] = [];
    store.on('evicted', ({ sessionId }) => events.push(`evicted ${sessionId}`));
    store.on('expired', ({ sessionId }) => events.push(`expired ${sessionId}`));
    await store.create('old');
    await clock.advance(59_000);
    await store.create('new');
    await clock.advance(1_000);
    await store.create('newest');
    expect(await ids()).toEqual(['new', 'newest']);
    expect(events).toEqual(['expired old']);
  });

  it('never evicts a session in a turn', async () => {
    const { store, begin, ids } = setUp({ maxSessions: 2 });
    await store.create('a');
    await store.create('b');
    const lease = await begin('a');
    await store.create('c');
    expect(await ids()).toEqual(['a', 'c']);
    await begin('c');
    await expect(store.create('d')).rejects.toThrow(StoreFullError);
    expect(await ids()).toEqual(['a', 'c']);
    await store.release(lease);
    await store.create('d');
    expect(await ids()).toEqual(['c', 'd']);
  });

  it('may evict a session whose turn died, once its lease has ended', async () => {
    const { clock, store, begin, ids } = setUp({ maxSessions: 1 });
    await store.create('a');
    await begin('a');
    await clock.advance(leaseMs - 1);
    await expect(store.create('b')).rejects.toThrow(StoreFullError);
    await clock.advance(1);
    await store.create('b');
    expect(await ids()).toEqual(['b']);
  });

  it('has room for the probe of healthCheck in a full store, and evicts nothing for it', async () => {
    const { store, ids } = setUp({ maxSessions: 1 });
    await store.create('a');
    expect((await store.healthCheck()).healthy).toBe(true);
    expect(await ids()).toEqual(['a']);
  });

  it('a creation that is refused has changed nothing', async () => {
    const { store, ids } = setUp({ maxSessions: 2, maxPerUser: 1, maxPerUserPolicy: 'reject' });
    await store.create('a', { userId: 'u' });
    await store.create('b');
    await expect(store.create('c', { userId: 'u' })).rejects.toThrow();
    expect(await ids()).toEqual(['a', 'b']);
  });

  it('at the user’s cap the user’s own session makes the room', async () => {
    const { store, ids } = setUp({ maxSessions: 2, maxPerUser: 1 });
    await store.create('other');
    await store.create('mine', { userId: 'u' });
    await store.create('newer', { userId: 'u' });
    expect(await ids()).toEqual(['newer', 'other']);
  });
});

describe('removal', () => {
  it('takes away what nobody asks for within five seconds of its end', async () => {
    const { clock, store } = setUp();
    const expired: string[] = [];
    store.on('expired', ({ sessionId }) => expired.push(sessionId));
    for (let index = 0; index < 5_000; index += 1) await store.create(`s${index}`);
    await clock.advance(60_000 + 5_000);
    expect(expired).toHaveLength(5_000);
    expect(new Set(expired).size).toBe(5_000);
  });

  it('leaves no timer behind when the store is closed', async () => {
    const { clock, store, begin } = setUp();
    const sessions = new SessionManager({ store, clock, leaseMs });
    await store.create('a');
    await begin('a');
    const waiting = sessions.turn('a', async () => 1);
    const watching = (async () => {
      for await (const _ of store.subscribe('a')) throw new TypeError('there is none');
    })();
    await clock.advance(10);
    expect(clock.timers).toBeGreaterThan(0);
    await store.close();
    await expect(waiting).rejects.toThrow(StoreUnavailableError);
    await watching;
    await store.close();
    expect(clock.timers).toBe(0);
  });

  it('a turn leaves no timer behind, however it ends', async () => {
    const { clock, store } = setUp();
    const sessions = new SessionManager({ store, clock, leaseMs });
    await store.create('a');
    const before = clock.timers; // the store's own sweep
    await sessions.turn('a', async () => 1);
    await expect(
      sessions.turn('a', async () => {
        throw new TypeError('x');
      }),
    ).rejects.toThrow(TypeError);
    await expect(sessions.turn('b', async () => 1)).rejects.toThrow();
    expect(clock.timers).toBe(before);
  });

  it('removing a session in a turn keeps the table whole', async () => {
    const { clock, store, begin, ids } = setUp({ maxSessions: 3 });
    for (const id of ['a', 'b', 'c'])
      await store.create(id, { userId: 'u', status: 'handed_over' });
    const lease = await begin('b');
    await store.delete('b');
    expect(await store.release(lease)).toBe(false);
    await store.create('d');
    await store.create('e');
    expect(await ids()).toEqual(['c', 'd', 'e']);
    expect((await store.listActive({ userId: 'u' })).sessions.map(({ id }) => id)).toEqual(['c']);
    await clock.advance(60_000);
    expect(await store.countActive()).toBe(0);
    expect((await store.listActive({ status: 'handed_over' })).sessions).toEqual([]);
  });
});

describe('options', () => {
  it.each([
    { maxSessions: 0 },
    { maxSessions: 1.5 },
    { idleTimeoutMs: -1 },
    { absoluteTimeoutMs: 2 ** 31 },
    { maxMessages: Number.NaN },
    { maxPerUser: -1 },
  ])('refuses %o', (options) => {
    expect(() => new InMemorySessionStore(options)).toThrow(ConfigError);
  });

  it('is disposable', async () => {
    let kept: InMemorySessionStore;
    {
      await using store = new InMemorySessionStore();
      kept = store;
      await store.create('a');
    }
    await expect(kept.get('a')).rejects.toThrow(StoreUnavailableError);
  });
});
