import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { FakeClock } from 'holdfast/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { scripts } from '../../../packages/holdfast/src/lib/redis/scripts/scripts.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { encrypting } from '../support/encryption.ts';
import {
  type Instance,
  type InstanceOptions,
  SharedNamespace,
} from '../support/shared-namespace.ts';
import { GatedConnections } from './gated-connections.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const soon = { timeout: 60_000, interval: 5 };

setFlagsFromString('--expose_gc');
const collect = runInNewContext('gc') as () => void;

function setUp() {
  const place = new SharedNamespace(server.url);
  const codec = encrypting(place.keyPrefix);
  /** One whose time stands still: what it drops, it drops for what it is told, or when a test says so. */
  const reader = async (options: InstanceOptions = { l1: {} }) => {
    const clock = new FakeClock();
    const gates = new GatedConnections();
    const { store } = await place.instance({ codec, clock, connect: gates.connect, ...options });
    return { clock, gates, store };
  };
  const writer = (options: InstanceOptions = {}) => place.instance({ codec, ...options });
  return { place, reader, writer };
}

async function create({ store }: Instance): Promise<void> {
  await store.create('s', { metadata: { plan: 'pro' } });
  await store.appendMessages('s', [{ role: 'user', content: 'hello' }]);
}

interface Seen {
  readonly session: WeakRef<object>;
  /** What is decoded of the session has it too. */
  readonly metadata: WeakRef<object>;
  readonly message: WeakRef<object>;
}

/** Reads a session and its history, and holds nothing of it. */
async function look(store: Instance['store']): Promise<Seen> {
  const session = await store.get('s');
  const [message] = await store.messages('s', { limit: 1 });
  if (session === null || message === undefined) throw new Error('There is no session.');
  return {
    session: new WeakRef(session),
    metadata: new WeakRef(session.metadata),
    message: new WeakRef(message),
  };
}

function alive(seen: Partial<Seen>): string[] {
  collect();
  return Object.entries(seen).flatMap(([name, ref]) => (ref.deref() === undefined ? [] : [name]));
}

/** Looks until nothing that was read goes when memory is collected. */
async function warm({ store }: { store: Instance['store'] }): Promise<Seen> {
  return vi.waitUntil(async () => {
    const seen = await look(store);
    await new Promise((resolve) => setImmediate(resolve));
    return alive(seen).length === 3 && seen;
  }, soon);
}

const gone = (seen: Seen) => vi.waitUntil(() => alive(seen).length === 0, soon);

describe('what a process has in memory of a session', () => {
  it('goes when nobody asks for it any more', async () => {
    const { reader, writer } = setUp();
    const one = await reader({ l1: { ttlMs: 1_000 } });
    await create(await writer());
    const seen = await warm(one);
    await one.clock.advance(999);
    expect(alive(seen)).toEqual(['session', 'metadata', 'message']);
    const { calls } = one.gates;
    await one.clock.advance(101);
    await gone(seen);
    expect(one.gates.calls).toBe(calls);
  });

  it('is not kept where the L1 is off', async () => {
    const { reader, writer } = setUp();
    const one = await reader({});
    await create(await writer());
    await gone(await look(one.store));
  });

  it('goes in ten minutes where it is what answers a write that is repeated', async () => {
    const { place, reader } = setUp();
    const one = await reader({});
    await one.store.create('s', {}, { nonce: 'created' });
    const append = async () => {
      const question = [{ role: 'user', content: { words: 'hello' } }] as const;
      const [message] = await one.store.appendMessages('s', question, { nonce: 'asked' });
      return { message: new WeakRef(message ?? {}), seq: message?.seq };
    };
    const { message, seq } = await append();
    // More than Redis remembers for itself.
    const ask = await place.asking();
    await ask('DEL', place.keys.session('s')[8] ?? '');
    expect((await append()).seq).toBe(seq);
    await one.clock.advance(599_000);
    expect(alive({ message })).toEqual(['message']);
    await one.clock.advance(1_100);
    await vi.waitUntil(() => alive({ message }).length === 0, soon);
  });

  it('goes when another instance deletes the session', async () => {
    const { reader, writer } = setUp();
    const [one, other] = [await reader(), await writer()];
    await create(other);
    const seen = await warm(one);
    const { calls } = one.gates;
    await other.store.delete('s');
    await gone(seen);
    expect(one.gates.calls).toBe(calls);
  });

  it('goes when another instance removes the session, which has expired', async () => {
    const { reader, writer } = setUp();
    const [one, other] = [await reader(), await writer({ idleTimeoutMs: 100 })];
    await create(await writer());
    const seen = await warm(one);
    await other.store.touch('s');
    await vi.waitUntil(async () => (await other.store.cleanupExpired()) === 1, soon);
    await gone(seen);
  });

  it('goes when another instance puts a session in the place of one that has expired', async () => {
    const { reader, writer } = setUp();
    const [one, other] = [await reader(), await writer({ idleTimeoutMs: 100 })];
    await create(await writer());
    const seen = await warm(one);
    await other.store.touch('s');
    await vi.waitUntil(() => other.store.create('s').catch(() => false), soon);
    await gone(seen);
  });

  it('goes when another instance finds that Redis itself has dropped the session', async () => {
    const { place, reader, writer } = setUp();
    const [one, other] = [await reader(), await writer({ idleTimeoutMs: 100 })];
    await create(await writer());
    const seen = await warm(one);
    await other.store.touch('s');
    const ask = await place.asking();
    await ask('DEL', ...place.keys.session('s').slice(0, 4));
    const vanished = vi.fn();
    other.store.on('expired', vanished);
    await vi.waitUntil(async () => {
      await other.store.cleanupExpired();
      return vanished.mock.calls.length === 1;
    }, soon);
    await gone(seen);
  });

  it('does not stay for a read that was under way when the session was deleted', async () => {
    const { reader, writer } = setUp();
    const [one, other] = [await reader(), await writer()];
    await create(other);
    const seen = await warm(one);
    await one.clock.advance(60_100);
    await gone(seen);
    const reply = one.gates.holdReply();
    const reading = (async () => new WeakRef((await one.store.get('s'))?.metadata ?? {}))();
    await reply.came;
    const heard = one.gates.heard(/ s /);
    await other.store.delete('s');
    await heard;
    reply.release();
    const metadata = await reading;
    await vi.waitUntil(() => alive({ metadata }).length === 0, soon);
  });

  it('does not stay for a history that was being read when the session was deleted', async () => {
    const { reader, writer } = setUp();
    const [one, other] = [await reader(), await writer()];
    await create(other);
    await warm(one);
    const reply = one.gates.holdReply(scripts.messages);
    const reading = (async () => new WeakRef((await one.store.messages('s'))[0] ?? {}))();
    await reply.came;
    const heard = one.gates.heard(/ s /);
    await other.store.delete('s');
    await heard;
    reply.release();
    const message = await reading;
    await vi.waitUntil(() => alive({ message }).length === 0, soon);
  });

  it('goes when its store is closed', async () => {
    const { reader, writer } = setUp();
    const one = await reader();
    await create(await writer());
    const seen = await warm(one);
    await one.store.close();
    await gone(seen);
  });
});
