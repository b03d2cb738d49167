import { type Codec, createCodec, generateKey, KeyRing } from 'holdfast/encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noCredentials } from '../../../packages/holdfast/src/lib/model/session.ts';
import type { RekeyProgress } from '../../../packages/holdfast/src/lib/redis/upkeep/rekeying.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { RecordingLogger, rejection } from '../connection/fixtures.ts';
import { HeldCalls } from '../support/lines/held-calls.ts';
import { type Instance, SharedNamespace } from '../support/shared-namespace.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const [old, next] = [generateKey(), generateKey()];

function setUp() {
  const place = new SharedNamespace(server.url);
  const logger = new RecordingLogger();
  const codecOf = (keys: string, more: object = {}): Codec =>
    createCodec(KeyRing.parse(keys), { namespace: place.keyPrefix, ...more });
  const instance = (keys: string, more: object = {}) =>
    place.instance({ codec: codecOf(keys, more), logger });
  const plain = () => place.instance({ logger });
  return { place, logger, instance, plain, codecOf };
}

/** Puts something of another type in the place of a key. */
const planting = "redis.call('DEL', KEYS[1]) return redis.call('SET', KEYS[1], 'planted')";

/** How many sessions a run has looked at that was stopped after its first batch. */
async function endedHalfWay({ store }: Instance): Promise<number> {
  const stop = new AbortController();
  let seen = 0;
  const stopped = store.upkeep.rekey({
    signal: stop.signal,
    onProgress: ({ sessions }) => {
      seen = sessions;
      stop.abort(new Error('Enough.'));
    },
  });
  expect((await rejection(stopped)).message).toBe('Enough.');
  return seen;
}

/** A session with something of every kind in it. */
async function fill(sessions: Instance, id: string, userId = 'ada'): Promise<void> {
  await sessions.getOrCreate({ sessionId: id, userId, metadata: { of: id } });
  for (let n = 0; n < 3; n++) {
    await sessions.startTurn(id, { idempotencyKey: `${id}-${n}` }, async (turn) => {
      turn.append({ role: 'user', content: `message ${n} of ${id}` });
      turn.emit({ type: 'text', text: `piece ${n} of ${id}` });
      return `outcome ${n} of ${id}`;
    }).result;
  }
}

/** All that `fill` has put there, as this instance reads it. */
async function contents(sessions: Instance, id: string): Promise<object> {
  const events: unknown[] = [];
  for await (const { type, text } of sessions.subscribe(id, { after: 0 })) {
    if (type === 'text') events.push(text);
    if (events.length === 3) break;
  }
  const outcomes = await Promise.all(
    [0, 1, 2].map((n) =>
      sessions.turn(id, { idempotencyKey: `${id}-${n}` }, async () => 'run again'),
    ),
  );
  const messages = await sessions.store.messages(id);
  const { metadata, version, lastActivity, expiresAt } = (await sessions.store.get(id)) ?? {};
  const { sessions: listed } = await sessions.store.listActive({ userId: 'ada' });
  return {
    ...{ metadata, version, lastActivity, expiresAt, outcomes, events },
    messages: messages.map(({ content }) => content),
    listed: listed.map((session) => session.id).sort(),
  };
}

describe('rekey', () => {
  it('leaves nothing that wants the old key, and moves no version and no time', async () => {
    const { instance } = setUp();
    const before = await instance(old);
    for (const id of ['a', 'b', 'c']) await fill(before, id);
    const was = await contents(before, 'b');
    const both = await instance(`${next},${old}`);
    const result = await both.store.upkeep.rekey();
    expect(result).toMatchObject({ sessions: 3, total: 3, unreadable: [] });
    // Of each session state, credentials, 3 pieces of messages, 3 outcomes, and pieces of output.
    expect(result.rewritten).toBeGreaterThanOrEqual(3 * (2 + 3 + 3 + 3));
    const after = await instance(next);
    expect(await contents(after, 'b')).toEqual(was);
    expect(await both.store.upkeep.rekey()).toMatchObject({ sessions: 3, rewritten: 0 });
    expect(await after.revokeUser('ada')).toBe(3);
  });

  it('changes the cipher in the same way', async () => {
    const { instance } = setUp();
    await fill(await instance(old), 'a');
    const was = await contents(await instance(old), 'a');
    const fernet = await instance(old, { cipher: 'fernet' });
    expect((await fernet.store.upkeep.rekey()).rewritten).toBeGreaterThan(0);
    expect(await contents(fernet, 'a')).toEqual(was);
    expect((await fernet.store.upkeep.rekey()).rewritten).toBe(0);
  });

  it('encrypts what was stored before encryption was on; then plaintext is refused', async () => {
    const { instance, plain, place } = setUp();
    const before = await plain();
    for (const id of ['a', 'b']) await fill(before, id);
    const was = await contents(before, 'a');
    const migrating = await instance(next, { allowPlaintext: true });
    expect(await contents(migrating, 'a')).toEqual(was);
    // Both kinds of instances are there for a while.
    await fill(migrating, 'c');
    expect((await migrating.store.upkeep.rekey()).unreadable).toEqual([]);
    const strict = await instance(next);
    expect(await contents(strict, 'a')).toMatchObject({ metadata: { of: 'a' } });
    const ask = await place.asking();
    for (const key of (await ask('KEYS', `${place.keyPrefix}*`)) as string[]) {
      expect(key).not.toContain('ada');
    }
  });

  it('turns encryption on, and off again, with instances of both kinds at work', async () => {
    const { instance, plain, place } = setUp();
    const never = await plain();
    await fill(never, 'a');
    const reading = await instance(next, { cipher: 'none' });
    const writing = await instance(next, { allowPlaintext: true });
    for (const [id, one, other] of [
      ['b', reading, writing],
      ['c', writing, reading],
    ] as const) {
      await fill(one, id);
      expect(await contents(other, id)).toEqual(await contents(one, id));
      await other.store.update(id, { metadata: { by: 'both' } });
      expect((await one.store.get(id))?.metadata).toEqual({ of: id, by: 'both' });
    }
    expect((await writing.store.upkeep.rekey()).unreadable).toEqual([]);
    expect(await contents(await instance(next), 'a')).toMatchObject({ listed: ['a', 'b', 'c'] });
    expect((await reading.store.upkeep.rekey()).unreadable).toEqual([]);
    expect(await contents(await plain(), 'c')).toMatchObject({ listed: ['a', 'b', 'c'] });
    const ask = await place.asking();
    expect(await ask('ZCARD', place.keys.user('ada')[0])).toBe('3');
  });

  it('goes on where it was when it ended half-way', async () => {
    const { instance } = setUp();
    const before = await instance(old);
    for (let n = 0; n < 450; n++) await before.store.create(`s-${n}`);
    const both = await instance(`${next},${old}`);
    const first = await endedHalfWay(both);
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(450);
    const seen: RekeyProgress[] = [];
    const result = await both.store.upkeep.rekey({ onProgress: (progress) => seen.push(progress) });
    // Of each session state and credentials: not one of those that the first run has done.
    expect(seen[0]?.rewritten).toBe(2 * (seen[0]?.sessions ?? 0));
    expect(result).toMatchObject({ sessions: 450, total: 450, rewritten: 2 * (450 - first) });
  });

  it('leaves nothing behind that was written with the old key since it ended half-way', async () => {
    const { instance } = setUp();
    const before = await instance(old);
    for (let n = 0; n < 450; n++) await before.store.create(`s-${n}`);
    expect(await endedHalfWay(await instance(`${next},${old}`))).toBeGreaterThan(0);
    const writtenBack = await instance(`${old},${next}`);
    for (let n = 0; n < 450; n++) await writtenBack.store.update(`s-${n}`, { metadata: { n } });
    const again = await instance(`${next},${old}`);
    expect(await again.store.upkeep.rekey()).toMatchObject({ sessions: 450, unreadable: [] });
    const after = await instance(next);
    for (let n = 0; n < 450; n++) {
      expect((await after.store.get(`s-${n}`))?.metadata).toEqual({ n });
    }
  });

  it('leaves the session to the user who claimed it while its messages were written anew', async () => {
    const { place, instance, codecOf } = setUp();
    const first = await instance(old);
    await first.store.create('s', { userId: 'ada' });
    await first.store.appendMessages('s', [{ role: 'user', content: 'hello' }]);
    const calls = new HeldCalls();
    const codec = codecOf(`${next},${old}`);
    const both = await place.instance({ codec, connect: calls.connect });
    const writer = await instance(`${next},${old}`);
    // State and credentials have the new key already.
    await writer.store.update('s', { metadata: { x: 1 } });
    await writer.store.setCredentials('s', { ...noCredentials, authenticatedAt: 1 });
    const held = calls.hold('rekey');
    const rekeyed = both.store.upkeep.rekey();
    await held.reached;
    await writer.store.update('s', { userId: 'bob' });
    held.release();
    expect(await rekeyed).toMatchObject({ rewritten: 1, unreadable: [] });
    const cold = await instance(next);
    expect(await cold.turn('s', { userId: 'bob' }, async () => 'here')).toBe('here');
    const refused = cold.turn('s', { userId: 'ada' }, async () => 'here');
    expect((await rejection(refused)).name).toBe('SessionNotFoundError');
  });

  it('takes no lease, and disturbs no turn', async () => {
    const { instance } = setUp();
    const one = await instance(`${next},${old}`);
    await fill(await instance(old), 's');
    const both = await instance(`${next},${old}`);
    await one.turn('s', async (turn) => {
      turn.update({ metadata: { during: 1 } });
      await both.store.upkeep.rekey();
      await turn.checkpoint();
      turn.append({ role: 'assistant', content: 'behind it' });
      await both.store.upkeep.rekey();
    });
    const after = await instance(next);
    expect((await after.store.get('s'))?.metadata).toEqual({ of: 's', during: 1 });
    expect((await after.store.messages('s')).at(-1)?.content).toBe('behind it');
  });

  it('loses nothing of what is written meanwhile', async () => {
    const { instance } = setUp();
    const before = await instance(old);
    const ids = Array.from({ length: 12 }, (_, n) => `s-${n}`);
    for (const id of ids) await before.store.create(id, { userId: id });
    const [writer, both] = [await instance(`${next},${old}`), await instance(`${next},${old}`)];
    let writing = true;
    const writes = ids.map(async (id) => {
      let count = 0;
      while (writing || count < 10) {
        await writer.store.appendMessages(id, [{ role: 'user', content: count }]);
        await writer.store.update(id, { metadata: { count } });
        count += 1;
      }
      return count;
    });
    for (let runs = 0; runs < 5; runs++) await both.store.upkeep.rekey();
    writing = false;
    const counts = await Promise.all(writes);
    await both.store.upkeep.rekey();
    const after = await instance(next);
    for (const [at, id] of ids.entries()) {
      const count = counts[at] ?? 0;
      expect((await after.store.get(id))?.metadata).toEqual({ count: count - 1 });
      const messages = await after.store.messages(id);
      expect(messages.map(({ content }) => content)).toEqual(
        Array.from({ length: count }, (_, n) => n),
      );
    }
  });

  it('puts nothing old over what was written while it read', async () => {
    const { place, instance } = setUp();
    await (await instance(old)).store.create('s', { metadata: { by: 'first' } });
    const calls = new HeldCalls();
    const codec = createCodec(KeyRing.parse(`${next},${old}`), { namespace: place.keyPrefix });
    const both = await place.instance({ codec, connect: calls.connect });
    const held = calls.hold('rekey');
    const rekeying = both.store.upkeep.rekey();
    await held.reached;
    const writer = await instance(`${next},${old}`);
    await writer.store.update('s', { metadata: { by: 'second' } });
    held.release();
    expect((await rekeying).unreadable).toEqual([]);
    expect((await (await instance(next)).store.get('s'))?.metadata).toEqual({ by: 'second' });
  });

  it('names the sessions that no key opens, and goes on', async () => {
    const { instance } = setUp();
    await (await instance(generateKey())).store.create('stranger');
    await fill(await instance(old), 'a');
    const both = await instance(`${next},${old}`);
    const result = await both.store.upkeep.rekey();
    expect(result).toMatchObject({ unreadable: ['stranger'], damaged: [] });
    expect(await contents(await instance(next), 'a')).toMatchObject({ metadata: { of: 'a' } });
  });

  it('names apart the sessions that are damaged, in whatever part, and does what it can of them', async () => {
    const { place, instance } = setUp();
    const ask = await place.asking();
    const before = await instance(old);
    const keyOf = (id: string, at: number) => place.keys.session(id)[at] ?? '';
    const damages: Readonly<Record<string, () => Promise<unknown>>> = {
      state: () => ask('HDEL', keyOf('state', 0), 'd'),
      credentials: () => ask('HDEL', keyOf('credentials', 0), 'c'),
      header: () => ask('HSET', keyOf('header', 0), 'h', 'rubbish'),
      session: () => ask('EVAL', planting, '1', keyOf('session', 0)),
      outcomes: () => ask('LSET', keyOf('outcomes', 2), '1', '9999999999999 1 1 1 - -\ncut'),
      output: () => ask('EVAL', planting, '1', keyOf('output', 3)),
      messages: () => ask('LSET', keyOf('messages', 7), '0', '1 1 0\ncut'),
    };
    for (const [id, damage] of Object.entries(damages)) {
      await fill(before, id, 'bob');
      await damage();
    }
    await fill(before, 'a');
    const both = await instance(`${next},${old}`);
    const result = await both.store.upkeep.rekey();
    expect(result.unreadable).toEqual([]);
    expect(result.damaged.toSorted()).toEqual(Object.keys(damages).toSorted());
    const after = await instance(next);
    expect(await contents(after, 'a')).toMatchObject({ metadata: { of: 'a' } });
    expect(await after.store.get('messages')).toMatchObject({ metadata: { of: 'messages' } });
  });
});

describe('while keys change', () => {
  it('a user has all sessions, by whatever key they were entered', async () => {
    const { instance } = setUp();
    const [first, second] = [await instance(old), await instance(`${next},${old}`)];
    await first.create({ sessionId: 'a', userId: 'ada' });
    await second.create({ sessionId: 'b', userId: 'ada' });
    const third = await instance(`${old},${next}`);
    await third.create({ sessionId: 'c', userId: 'ada' });
    const { sessions } = await second.store.listActive({ userId: 'ada' });
    expect(sessions.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(await third.revokeOthers('b')).toBe(2);
    expect(await second.revokeUser('ada')).toBe(1);
    expect((await third.store.listActive({ userId: 'ada' })).sessions).toEqual([]);
  });

  it('the cap of a user counts all of them', async () => {
    const { place } = setUp();
    const capped = (keys: string) =>
      place.instance({
        codec: createCodec(KeyRing.parse(keys), { namespace: place.keyPrefix }),
        maxPerUser: 2,
      });
    const [first, second] = [await capped(`${old},${next}`), await capped(`${next},${old}`)];
    for (const id of ['a', 'b']) await first.create({ sessionId: id, userId: 'ada' });
    await second.create({ sessionId: 'c', userId: 'ada' });
    const { sessions } = await first.store.listActive({ userId: 'ada' });
    expect(sessions.map(({ id }) => id)).toEqual(['b', 'c']);
  });
});
