import type { Message } from 'holdfast';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
const words = (messages: readonly Message[]) => messages.map(({ content }) => content);

function setUp(url = server.url) {
  const place = new SharedNamespace(url);
  const codec = encrypting(place.keyPrefix);
  const instance = async (options: object = { l1: {} }) => {
    const gates = new GatedConnections();
    const sessions = await place.instance({ codec, connect: gates.connect, ...options });
    return { sessions, store: sessions.store, gates };
  };
  return { place, instance };
}

/** A turn that says something: the history that it read before. */
async function turnOf(sessions: Instance, content: string, limit = 20) {
  return sessions.turn('s', async (turn) => {
    const read = words(await turn.messages({ limit }));
    turn.append({ role: 'user', content });
    return read;
  });
}

/** Turns until one needs its two calls only. */
async function warm({
  sessions,
  gates,
}: Awaited<ReturnType<ReturnType<typeof setUp>['instance']>>) {
  const calls = async () => {
    const before = gates.calls;
    await sessions.turn('s', (turn) => turn.messages({ limit: 20 }));
    return gates.calls - before;
  };
  await expect.poll(calls, soon).toBe(2);
}

describe('the history of a turn', () => {
  it('needs no call of its own where its end was read or written here', async () => {
    const { instance } = setUp();
    const one = await instance();
    await one.store.create('s');
    await turnOf(one.sessions, 'first');
    await warm(one);
    const before = one.gates.calls;
    for (const [said, read] of [
      ['second', ['first']],
      ['third', ['first', 'second']],
      ['fourth', ['first', 'second', 'third']],
    ] as const) {
      expect(await turnOf(one.sessions, said)).toEqual(read);
    }
    expect(one.gates.calls - before).toBe(3 * 2);
    const { l1CacheHits } = await one.store.getStats();
    expect(l1CacheHits).toBeGreaterThanOrEqual(3);
    expect(words(await one.store.messages('s'))).toEqual(['first', 'second', 'third', 'fourth']);
  });

  it('is read where another instance has added to it, heard or not', async () => {
    const { instance } = setUp();
    const [one, other] = [await instance(), await instance()];
    await one.store.create('s');
    await turnOf(one.sessions, 'mine');
    await warm(one);
    one.gates.isDeaf = true;
    await other.store.appendMessages('s', [{ role: 'operator', content: 'theirs' }]);
    expect(await turnOf(one.sessions, 'mine again')).toEqual(['mine', 'theirs']);
    await turnOf(other.sessions, 'theirs again');
    expect(await turnOf(one.sessions, 'last', 2)).toEqual(['mine again', 'theirs again']);
  });

  it('is that of the session that is there, and not of an earlier one of its id', async () => {
    const { instance } = setUp();
    const [one, other] = [await instance(), await instance()];
    await one.store.create('s');
    await turnOf(one.sessions, 'old');
    await warm(one);
    one.gates.isDeaf = true;
    await other.store.delete('s');
    await other.store.create('s');
    await other.store.appendMessages('s', [{ role: 'user', content: 'new' }]);
    expect(await turnOf(one.sessions, 'x')).toEqual(['new']);
  });

  it.each([
    ['encrypted', {}],
    ['as JSON', { codec: undefined }],
  ])('is what a server that lost writes has, and not what it had: %s', async (_, codec) => {
    const own = await startedRedis();
    const { place, instance } = setUp(own.url);
    const options = { l1: {}, ...codec };
    const one = await instance(options);
    await one.store.create('s');
    await turnOf(one.sessions, 'kept');
    const ask = await place.asking();
    expect(await ask('SAVE')).toBe('OK');
    await turnOf(one.sessions, 'lost');
    await warm(one);
    await own.kill('SIGKILL');
    await own.restart();
    const other = await instance(options);
    // As many as were lost: neither the version nor the place tells them apart.
    await turnOf(other.sessions, 'instead');
    let read: readonly unknown[] | null = null;
    const turn = async () => {
      read ??= await turnOf(one.sessions, 'x').catch(() => null);
      return read;
    };
    await expect.poll(turn, soon).toEqual(['kept', 'instead']);
  });

  it('is not kept where there is no L1', async () => {
    const { instance } = setUp();
    const one = await instance({});
    await one.store.create('s');
    await turnOf(one.sessions, 'first');
    const before = one.gates.calls;
    await turnOf(one.sessions, 'second');
    expect(one.gates.calls - before).toBe(3);
  });
});
