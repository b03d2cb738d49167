import { DecryptionError, IdempotencyMismatchError, SessionBusyError } from 'holdfast';
import { type Codec, createCodec, generateKey, KeyRing } from 'holdfast/encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonDigest } from '../../../packages/holdfast/src/lib/json/json-value.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { rejection } from '../connection/fixtures.ts';
import { type Instance, SharedNamespace } from '../support/shared-namespace.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const [old, next] = [generateKey(), generateKey()];
const request = { message: 'yes' };
const keyed = { idempotencyKey: 'key-1', idempotencyRequest: request };
const another = { idempotencyKey: 'key-1', idempotencyRequest: { message: 'no' } };
const question = { role: 'user', content: 'question' } as const;
const ciphers = ['aes-256-gcm', 'fernet'] as const;

function setUp() {
  const place = new SharedNamespace(server.url);
  const codecOf = (keys: string, more: object): Codec =>
    createCodec(KeyRing.parse(keys), { namespace: place.keyPrefix, ...more });
  const instance = (keys: string, more: object = {}) =>
    place.instance({ codec: codecOf(keys, more) });
  /** All that is kept of a session's turns: the line of the one that runs, and what outlasts them. */
  const kept = async (id: string): Promise<string> => {
    const ask = await place.asking();
    const [session, , outcomes] = place.keys.session(id);
    return [
      await ask('HGET', session, 'h'),
      ...((await ask('LRANGE', outcomes, '0', '-1')) as string[]),
    ].join('\n');
  };
  return { place, instance, plain: () => place.instance(), kept };
}

/** An attempt that stores a question and a count, and then fails. */
async function failBehindCheckpoint(sessions: Instance, id = 's'): Promise<void> {
  const failing = sessions.turn(id, keyed, async (turn) => {
    turn.append(question);
    turn.increment('messageCount');
    await turn.checkpoint();
    throw new Error('The model is down.');
  });
  expect((await rejection(failing)).message).toBe('The model is down.');
}

/** The next attempt, with a checkpoint more; then what the session has. */
async function repeat(sessions: Instance, id = 's'): Promise<unknown[]> {
  const attempt = await sessions.turn(id, keyed, async (turn) => {
    turn.append(question);
    turn.increment('messageCount');
    await turn.checkpoint();
    turn.append({ role: 'assistant', content: 'answer' });
    return turn.attempt;
  });
  const messages = await sessions.store.messages(id);
  const session = await sessions.store.get(id, { fresh: true });
  return [attempt, session?.messageCount, ...messages.map(({ content }) => content)];
}

const once = [2, 1, 'question', 'answer'];

describe.each(ciphers)('what is compared of requests, under %s,', (cipher) => {
  it('tells nobody who guesses it: neither of a turn that runs, nor of one that failed or ended', async () => {
    const { instance, plain, kept } = setUp();
    const sessions = await instance(old, { cipher });
    const guesses = [
      jsonDigest(request),
      jsonDigest(['user', 'question']),
      jsonDigest(['messageCount', 1]),
    ];
    await sessions.store.create('s');
    await sessions.turn('s', keyed, async (turn) => {
      turn.append(question);
      turn.increment('messageCount');
      await turn.checkpoint();
      const running = await kept('s');
      for (const guess of guesses) expect(running).not.toContain(guess);
    });
    await sessions.store.create('t');
    await failBehindCheckpoint(sessions, 't');
    for (const id of ['s', 't']) {
      const after = await kept(id);
      for (const guess of guesses) expect(after).not.toContain(guess);
    }
    // Without encryption they are there: so they were looked for in the right place.
    const open = await plain();
    await open.store.create('u');
    await failBehindCheckpoint(open, 'u');
    const clear = await kept('u');
    for (const guess of guesses) expect(clear).toContain(guess);
  });

  it('does not show that two requests were the same', async () => {
    const { instance, kept } = setUp();
    const sessions = await instance(old, { cipher });
    for (const id of ['s', 't']) {
      await sessions.store.create(id);
      for (const idempotencyKey of ['key-1', 'key-2']) {
        await sessions.turn(id, { ...keyed, idempotencyKey }, async () => 'outcome');
      }
    }
    const lines = `${await kept('s')}\n${await kept('t')}`;
    const digests = lines.match(/(?<= 1 =)[0-9a-f]{8}\.\S+/g);
    expect(new Set(digests).size).toBe(4);
  });
});

describe.each(ciphers)('while keys change, under %s,', (cipher) => {
  it('a repeat gets the outcome, and another request is a mismatch', async () => {
    const { instance } = setUp();
    const first = await instance(old, { cipher });
    await first.store.create('s');
    await first.turn('s', keyed, async () => 'the first');
    for (const keys of [`${old},${next}`, `${next},${old}`]) {
      const sessions = await instance(keys, { cipher });
      expect(await sessions.turn('s', keyed, async () => 'again')).toBe('the first');
      const wrong = sessions.turn('s', another, async () => 'again');
      expect(await rejection(wrong)).toBeInstanceOf(IdempotencyMismatchError);
      const without = sessions.turn('s', { idempotencyKey: 'key-1' }, async () => 'again');
      expect(await rejection(without)).toBeInstanceOf(IdempotencyMismatchError);
    }
    await (await instance(`${next},${old}`, { cipher })).store.upkeep.rekey();
    // Its digest is under a key that is gone: it cannot be compared, and no repeat is refused for that.
    const after = await instance(next, { cipher });
    expect(await after.turn('s', keyed, async () => 'again')).toBe('the first');
  });

  it('the turn that runs is known by its request, whichever key was first', async () => {
    const { instance } = setUp();
    const one = await instance(`${old},${next}`, { cipher });
    const other = await instance(`${next},${old}`, { cipher });
    await one.store.create('s');
    await one.turn('s', keyed, async () => {
      const options = { onBusy: 'reject' } as const;
      const same = other.turn('s', { ...keyed, ...options }, async () => {});
      expect(await rejection(same)).toBeInstanceOf(SessionBusyError);
      const wrong = other.turn('s', { ...another, ...options }, async () => {});
      expect(await rejection(wrong)).toBeInstanceOf(IdempotencyMismatchError);
    });
  });

  it('what an attempt has stored is not stored again', async () => {
    const { instance } = setUp();
    const first = await instance(old, { cipher });
    for (const id of ['s', 't']) {
      await first.store.create(id);
      await failBehindCheckpoint(first, id);
    }
    const both = await instance(`${next},${old}`, { cipher });
    expect(await repeat(both, 's')).toEqual(once);
    expect((await both.store.upkeep.rekey()).unreadable).toEqual([]);
    expect(await repeat(await instance(next, { cipher }), 't')).toEqual(once);
    // Who did not wait for that is refused, and stores nothing twice.
    await first.store.create('u');
    await failBehindCheckpoint(first, 'u');
    const early = await instance(next, { cipher });
    expect(await rejection(repeat(early, 'u'))).toBeInstanceOf(DecryptionError);
    expect(await repeat(both, 'u')).toEqual([3, ...once.slice(1)]);
  });
});

describe('while encryption is turned on, and off again,', () => {
  it('repeats are known, and so are other requests', async () => {
    const { instance, plain, kept } = setUp();
    const never = await plain();
    for (const id of ['s', 't']) await never.store.create(id);
    await never.turn('s', keyed, async () => 'the first');
    await failBehindCheckpoint(never, 't');
    const reading = await instance(next, { cipher: 'none' });
    const writing = await instance(next, { allowPlaintext: true });
    const known = async (sessions: Instance) => {
      expect(await sessions.turn('s', keyed, async () => 'again')).toBe('the first');
      const wrong = sessions.turn('s', another, async () => 'again');
      expect(await rejection(wrong)).toBeInstanceOf(IdempotencyMismatchError);
    };
    await known(reading);
    await known(writing);
    expect((await writing.store.upkeep.rekey()).unreadable).toEqual([]);
    expect((await writing.store.upkeep.rekey()).rewritten).toBe(0);
    const guess = jsonDigest(request);
    for (const id of ['s', 't']) expect(await kept(id)).not.toContain(guess);
    const strict = await instance(next);
    await known(strict);
    await known(reading);
    expect(await repeat(strict, 't')).toEqual(once);
    await strict.store.create('u');
    await failBehindCheckpoint(strict, 'u');
    expect((await reading.store.upkeep.rekey()).unreadable).toEqual([]);
    expect(await repeat(never, 'u')).toEqual(once);
    expect(await never.turn('s', keyed, async () => 'again')).toBe('the first');
  });
});

describe('somebody who writes to Redis', () => {
  it('cannot say what an attempt has stored: not by a list of another key, nor in plain text', async () => {
    const { instance, place } = setUp();
    const sessions = await instance(old);
    await sessions.store.create('s');
    await failBehindCheckpoint(sessions);
    const other = { idempotencyKey: 'key-2', idempotencyRequest: request };
    const failing = sessions.turn('s', other, async (turn) => {
      turn.append({ role: 'user', content: 'another question' });
      await turn.checkpoint();
      throw new Error('The model is down.');
    });
    await rejection(failing);
    const ask = await place.asking();
    const outcomes = place.keys.session('s')[2];
    const effectsOf = (entry: string) => entry.trimEnd().split(' ')[5] ?? '';
    // An entry goes to the end with each attempt.
    const entryOf = async (key: string) => {
      const index = String(Number(await ask('LPOS', outcomes, key)) + 1);
      return { index, entry: (await ask('LINDEX', outcomes, index)) as string };
    };
    const put = async (effects: string) => {
      const { index, entry } = await entryOf('key-1');
      await ask('LSET', outcomes, index, entry.replace(effectsOf(entry), effects));
    };
    const mine = effectsOf((await entryOf('key-1')).entry);
    const foreign = effectsOf((await entryOf('key-2')).entry);
    for (const forged of [foreign, `a1:${jsonDigest(['user', 'question'])}`, 'AAAA']) {
      await put(forged);
      expect(await rejection(repeat(sessions))).toBeInstanceOf(DecryptionError);
      expect(await sessions.store.messages('s')).toHaveLength(2);
    }
    await put(mine);
    await sessions.turn('s', keyed, async (turn) => turn.append(question));
    expect(await sessions.store.messages('s')).toHaveLength(2);
  });
});
