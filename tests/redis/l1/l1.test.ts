import type { JsonObject, MetadataSchema, Session } from 'holdfast';
import { RedisSessionStore } from 'holdfast/redis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { RedisAddress } from '../../../packages/holdfast/src/lib/redis/connection/redis-address.ts';
import type { ConnectRedis } from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { Gate } from '../../../packages/holdfast/src/lib/testing/suite/suite-context.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { startedRedis } from '../connection/fixtures.ts';
import { encrypting } from '../support/encryption.ts';
import { type Instance, SharedNamespace } from '../support/shared-namespace.ts';
import { GatedConnections } from './gated-connections.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const soon = { timeout: 60_000, interval: 5 };

function setUp(url = server.url) {
  const place = new SharedNamespace(url);
  const codec = encrypting(place.keyPrefix);
  /** An instance, and what is done to its connections. */
  const instance = async (l1: object | undefined = {}) => {
    const gates = new GatedConnections();
    const sessions = await place.instance({ codec, l1, connect: gates.connect });
    return { sessions, store: sessions.store, gates };
  };
  return { place, instance };
}

const planInWords: MetadataSchema<JsonObject, JsonObject> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof (value as JsonObject).plan === 'string'
        ? { value: value as JsonObject }
        : { issues: [{ message: 'plan must be text' }] },
  },
};

/** Reads until it is served without a call. */
async function warm({ store, gates }: Warm, id: string): Promise<Session> {
  let session: Session | null = null;
  const isServed = async () => {
    const before = gates.calls;
    session = await store.get(id);
    return gates.calls === before;
  };
  await expect.poll(isServed, soon).toBe(true);
  if (session === null) throw new Error(`There is no session ${id}.`);
  return session;
}
interface Warm {
  readonly store: Instance['store'];
  readonly gates: GatedConnections;
}

describe('a session that is kept', () => {
  it('is read without a call, and is the same object', async () => {
    const { instance } = setUp();
    const one = await instance();
    await one.store.create('s', { userId: 'ada', metadata: { plan: 'pro' } });
    const session = await warm(one, 's');
    expect(session.metadata).toEqual({ plan: 'pro' });
    expect(Object.isFrozen(session)).toBe(true);
    const { l1CacheSize, l1CacheEnabled, l1CacheHitRate } = await one.store.getStats();
    expect({ l1CacheSize, l1CacheEnabled }).toEqual({ l1CacheSize: 1, l1CacheEnabled: true });
    expect(l1CacheHitRate).toBeGreaterThan(0);
    const before = one.gates.calls;
    await one.store.get('s', { fresh: true });
    expect(one.gates.calls).toBe(before + 1);
  });

  it('is what this instance has written, whatever was kept', async () => {
    const { instance } = setUp();
    const one = await instance();
    await one.store.create('s');
    const writes: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['update', () => one.store.update('s', { metadata: { n: 1 } })],
      ['counter', () => one.store.incrementCounter('s', 'clicks')],
      ['append', () => one.store.appendMessages('s', [{ role: 'user', content: 'hello' }])],
      ['turn', () => one.sessions.turn('s', async (turn) => turn.increment('messageCount'))],
      ['touch', () => one.store.touch('s')],
    ];
    for (const [name, write] of writes) {
      await warm(one, 's');
      await write();
      const kept = await one.store.get('s');
      expect(kept, name).toEqual(await one.store.get('s', { fresh: true }));
    }
    await warm(one, 's');
    await one.store.delete('s');
    expect(await one.store.get('s')).toBeNull();
    await one.store.create('s', { metadata: { second: true } });
    expect((await one.store.get('s'))?.metadata).toEqual({ second: true });
  });

  it('fails nobody but its readers where the schema refuses its metadata', async () => {
    const { place, instance } = setUp();
    const one = await instance();
    await one.store.create('s', { userId: 'ada', metadata: { plan: 7 } });
    const other = await RedisSessionStore.connect({
      url: server.url,
      keyPrefix: place.keyPrefix,
      codec: encrypting(place.keyPrefix),
      buckets: 8,
      l1: {},
      metadata: planInWords,
    });
    onTestFinished(() => other.close());
    for (let n = 1; n <= 3; n++) expect(await other.incrementCounter('s', 'clicks')).toBe(n);
    await expect(other.get('s')).rejects.toThrow('plan');
    await expect(other.get('s')).rejects.toThrow('plan');
    expect(await other.deleteUser('ada')).toBe(1);
  });

  it('goes when another instance changes it, and no other one does', async () => {
    const { instance } = setUp();
    const [one, other] = [await instance({ stalenessMs: 60_000 }), await instance()];
    for (const id of ['s', 't']) await one.store.create(id);
    for (const id of ['s', 't']) await warm(one, id);
    await other.store.update('s', { metadata: { n: 1 } });
    // The bound is far away: it is the message that makes it go.
    await expect.poll(async () => (await one.store.get('s'))?.metadata, soon).toEqual({ n: 1 });
    const before = one.gates.calls;
    await one.store.get('t');
    expect(one.gates.calls).toBe(before);
  });

  it('is given to no turn: that begins with what is there', async () => {
    const { instance } = setUp();
    const [one, other] = [await instance(), await instance()];
    await one.store.create('s');
    one.gates.isDeaf = true;
    await warm(one, 's');
    await other.store.update('s', { metadata: { n: 1 } });
    const seen = await one.sessions.turn('s', async (turn) => turn.session.metadata);
    expect(seen).toEqual({ n: 1 });
  });

  it('lets nobody in: a token that was exchanged fails at once', async () => {
    const { instance } = setUp();
    const [one, other] = [await instance(), await instance()];
    const { session, token } = await one.sessions.create({});
    one.gates.isDeaf = true;
    await warm(one, session.id);
    await other.sessions.rotateToken(session.id);
    await expect(one.sessions.authenticate(token)).rejects.toThrow('token');
    await other.store.delete(session.id);
    await expect(one.sessions.authenticate(token)).rejects.toThrow('token');
  });

  it('is not served when it has expired, though nobody has said so', async () => {
    const { place } = setUp();
    const gates = new GatedConnections();
    const { store } = await place.instance({
      ...{ idleTimeoutMs: 400, connect: gates.connect },
      l1: { stalenessMs: 60_000 },
    });
    await store.create('s');
    const { expiresAt } = await warm({ store, gates }, 's');
    const ask = await place.asking();
    let last: Session | null;
    let serverTime: number;
    do {
      // The server's time before the read: what is read later must not be a session that had ended by then.
      const [seconds = '0', micros = '0'] = (await ask('TIME')) as string[];
      serverTime = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
      last = await store.get('s');
      if (serverTime >= expiresAt) expect(last).toBeNull();
    } while (last !== null);
    expect(serverTime).toBeGreaterThanOrEqual(expiresAt - 50);
  });

  it('is one of so many, however many there were', async () => {
    const { instance } = setUp();
    const one = await instance({ size: 10 });
    const ids = Array.from({ length: 60 }, (_, n) => `s-${n}`);
    await Promise.all(ids.map((id) => one.store.create(id)));
    for (let round = 0; round < 2; round++) for (const id of ids) await one.store.get(id);
    await warm(one, 's-0');
    expect((await one.store.getStats()).l1CacheSize).toBe(10);
  });
});

describe('where messages are lost in silence', () => {
  it('no read is further behind than the bound and a round trip', async () => {
    const { instance } = setUp();
    const stalenessMs = 60;
    const writer = await instance(undefined);
    const readers = await Promise.all([instance({ stalenessMs }), instance({ stalenessMs })]);
    const ids = ['a', 'b', 'c'];
    for (const id of ids) await writer.store.create(id);
    /** Of each session, its versions in the order of their acknowledgement. */
    const acknowledged = new Map(ids.map((id) => [id, [{ version: 1, at: performance.now() }]]));
    let isWriting = true;
    let [reads, served] = [0, 0];
    const reading = readers.map(async ({ store, gates }) => {
      while (isWriting) {
        for (const id of ids) {
          const before = performance.now();
          const calls = gates.calls;
          const session = await store.get(id);
          reads += 1;
          if (gates.calls === calls) served += 1;
          const due = acknowledged
            .get(id)
            ?.findLast(({ at }) => at <= before - stalenessMs)?.version;
          if (due !== undefined) expect(session?.version).toBeGreaterThanOrEqual(due);
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    for (let n = 0; n < 300; n++) {
      // Each hears for a while, and then not.
      for (const [at, { gates }] of readers.entries()) gates.isDeaf = (n + 50 * at) % 100 < 50;
      const id = ids[n % ids.length] ?? '';
      const { version } = await writer.store.update(id, { metadata: { n } });
      acknowledged.get(id)?.push({ version, at: performance.now() });
      await new Promise((resolve) => setTimeout(resolve, n % 7));
    }
    isWriting = false;
    await Promise.all(reading);
    expect(served).toBeGreaterThan(0);
    expect(reads).toBeGreaterThan(served);
  });

  it('a change, and an end, are seen within the bound', async () => {
    const { instance } = setUp();
    const stalenessMs = 100;
    const [one, other] = [await instance({ stalenessMs }), await instance()];
    await one.store.create('s');
    await warm(one, 's');
    one.gates.isDeaf = true;
    await other.store.update('s', { metadata: { n: 1 } });
    await expect.poll(async () => (await one.store.get('s'))?.metadata, soon).toEqual({ n: 1 });
    await other.store.delete('s');
    await expect.poll(async () => one.store.get('s'), soon).toBeNull();
  });

  it('an open stream learns that its session has ended', async () => {
    const { instance } = setUp();
    const [one, other] = [await instance({ stalenessMs: 60 }), await instance()];
    await one.store.create('s');
    const ready = new Gate();
    const events = one.store.subscribe('s', { onReady: () => ready.open() });
    const ended = events.next();
    await ready.promise;
    await warm(one, 's');
    one.gates.isDeaf = true;
    await other.store.delete('s');
    expect(await ended).toMatchObject({ done: true });
  });

  it('forged messages make no read stale', async () => {
    const { place, instance } = setUp();
    const [one, other] = [await instance({ stalenessMs: 60 }), await instance()];
    const ask = await place.asking();
    await one.store.create('s');
    const news = place.keys.session('s')[13] ?? '';
    for (let n = 0; n < 40; n++) {
      await warm(one, 's');
      const count = Number(await ask('GET', news));
      const forged = [`${count + 1} t`, `${count + 9} s`, `${count - 3} s`, '9999999999999999 s'];
      await ask('PUBLISH', news, [...forged, 'x', '', '1', '-1 s', '1e9 s'][n % 9] ?? '');
      await other.store.update('s', { metadata: { n } });
      await expect.poll(async () => (await one.store.get('s'))?.metadata, soon).toEqual({ n });
    }
  });
});

describe('what may have been missed', () => {
  it('a read that was under way when its session changed is not kept', async () => {
    const { instance } = setUp();
    const [one, other] = [await instance({ stalenessMs: 60_000 }), await instance()];
    await one.store.create('s');
    // The bucket's first change begins its numbers, which is like a gap; the next one follows.
    await one.store.touch('s');
    await warm(one, 's');
    const reply = one.gates.holdReply();
    const reading = one.store.get('s', { fresh: true });
    await reply.came;
    const heard = one.gates.heard(/ s$/);
    await other.store.update('s', { metadata: { n: 1 } });
    await heard;
    reply.release();
    // It was true when it was asked for.
    expect((await reading)?.metadata).toEqual({});
    expect((await one.store.get('s'))?.metadata).toEqual({ n: 1 });
  });

  it('is forgotten of a whole bucket at the first message behind one that did not come', async () => {
    const { place, instance } = setUp();
    const [one, other] = [await instance({ stalenessMs: 60_000 }), await instance()];
    const bucket = place.keys.bucketOf('s');
    const next = Array.from({ length: 1_000 }, (_, n) => `t${n}`).find(
      (id) => place.keys.bucketOf(id) === bucket,
    );
    if (next === undefined) throw new Error('No other session is in that bucket.');
    for (const id of ['s', next]) await one.store.create(id);
    await one.store.touch('s');
    await warm(one, 's');
    one.gates.isDeafTo = / s$/;
    const heard = one.gates.heard(new RegExp(` ${next}$`));
    await other.store.update('s', { metadata: { n: 1 } });
    await other.store.touch(next);
    await heard;
    expect((await one.store.get('s'))?.metadata).toEqual({ n: 1 });
  });

  it('is not relied on after the subscription was lost', async () => {
    const { place, instance } = setUp();
    const [one, other] = [await instance({ stalenessMs: 60_000 }), await instance()];
    await one.store.create('s');
    await warm(one, 's');
    one.gates.isDeaf = true;
    await other.store.update('s', { metadata: { n: 1 } });
    one.gates.isDeaf = false;
    const ask = await place.asking();
    await ask('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await expect.poll(async () => (await one.store.get('s'))?.metadata, soon).toEqual({ n: 1 });
  });

  it('is not relied on at another server', async () => {
    const own = await startedRedis();
    const { instance } = setUp(own.url);
    const one = await instance({ stalenessMs: 60_000 });
    await one.store.create('s');
    await warm(one, 's');
    await own.kill('SIGKILL');
    await own.restart();
    // It has kept nothing.
    await expect.poll(async () => one.store.get('s').catch(() => 'away'), soon).toBeNull();
  });

  it('is not relied on where the calls go to another server, and the messages come as before', async () => {
    const [first, second] = [await startedRedis(), await startedRedis()];
    const place = new SharedNamespace(first.url);
    const gates = new GatedConnections();
    let hasMoved = false;
    const connect: ConnectRedis = (address, purpose, signal) => {
      const goesElsewhere = hasMoved && purpose === 'commands';
      return gates.connect(
        goesElsewhere ? new RedisAddress({ url: second.url }) : address,
        purpose,
        signal,
      );
    };
    const { store } = await place.instance({ l1: { stalenessMs: 60_000 }, connect });
    const probe = Array.from({ length: 1_000 }, (_, n) => `t${n}`).find(
      (id) => place.keys.bucketOf(id) !== place.keys.bucketOf('s'),
    );
    if (probe === undefined) throw new Error('All sessions are in one bucket.');
    for (const id of ['s', probe]) await store.create(id);
    await warm({ store, gates }, 's');
    hasMoved = true;
    const ask = await place.asking();
    await ask('CLIENT', 'KILL', 'TYPE', 'normal');
    const isThere = () => store.get(probe, { fresh: true }).catch(() => 'away');
    await expect.poll(isThere, soon).toBeNull();
    expect(await store.get('s')).toBeNull();
  });

  it('is not served while the server is away: that is an error, and no session', async () => {
    const own = await startedRedis();
    const { instance } = setUp(own.url);
    const one = await instance({ stalenessMs: 60 });
    await one.store.create('s');
    await warm(one, 's');
    await own.kill('SIGKILL');
    await expect
      .poll(async () => one.store.get('s').catch((error: Error) => error.name), soon)
      .toBe('StoreUnavailableError');
  });
});
