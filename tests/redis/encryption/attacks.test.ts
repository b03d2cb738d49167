import { randomUUID } from 'node:crypto';
import {
  DecryptionError,
  IdempotencyMismatchError,
  LeaseLostError,
  SessionNotFoundError,
} from 'holdfast';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issueToken } from '../../../packages/holdfast/src/lib/model/token.ts';
import type {
  RedisArgument,
  RedisReply,
} from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { connected, RecordingLogger, rejection, startedRedis } from '../connection/fixtures.ts';
import { encrypting } from '../support/encryption.ts';
import { HeldCalls } from '../support/lines/held-calls.ts';
import { type Instance, SharedNamespace } from '../support/shared-namespace.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

/** Places of words in a session's header (`scripts/parts/header.lua`). */
const at = { version: 1, token: 7, created: 8, absolute: 12, lastSeq: 15, owner: 17 };

/** Somebody who may write to Redis, and who has no key. */
class Attacker {
  readonly #send: (args: readonly RedisArgument[]) => Promise<RedisReply>;
  readonly place: SharedNamespace;

  constructor(
    place: SharedNamespace,
    send: (args: readonly RedisArgument[]) => Promise<RedisReply>,
  ) {
    this.place = place;
    this.#send = send;
  }

  do(...args: RedisArgument[]): Promise<RedisReply> {
    return this.#send(args);
  }

  key(id: string, which: number): string {
    return this.place.keys.session(id)[which] ?? '';
  }

  async field(id: string, name: string): Promise<Buffer> {
    return (await this.do('HGET', this.key(id, 0), name)) as Buffer;
  }

  async setField(id: string, name: string, value: RedisArgument): Promise<void> {
    await this.do('HSET', this.key(id, 0), name, value);
  }

  async setHeader(id: string, words: Readonly<Record<number, string>>): Promise<void> {
    const header = (await this.field(id, 'h')).toString().split(' ');
    for (const [index, word] of Object.entries(words)) header[Number(index)] = word;
    await this.setField(id, 'h', header.join(' '));
  }

  async items(id: string, which: number): Promise<Buffer[]> {
    return (await this.do('LRANGE', this.key(id, which), '0', '-1')) as Buffer[];
  }

  /** All keys of a session as they are now. */
  async dumps(id: string): Promise<ReadonlyMap<string, RedisReply>> {
    const keys = [0, 2, 3, 7, 8].map((which) => this.key(id, which));
    return new Map(
      await Promise.all(keys.map(async (key) => [key, await this.do('DUMP', key)] as const)),
    );
  }

  async restore(dumps: ReadonlyMap<string, RedisReply>): Promise<void> {
    for (const [key, dump] of dumps) {
      if (Buffer.isBuffer(dump)) await this.do('RESTORE', key, '0', dump, 'REPLACE');
      else await this.do('DEL', key);
    }
  }
}

async function attackerAt({ url }: RedisServer, place: SharedNamespace): Promise<Attacker> {
  const connection = await connected(url);
  return new Attacker(place, (args) => connection.send(args));
}

async function setUp(redis = server) {
  const logger = new RecordingLogger();
  const place = new SharedNamespace(redis.url);
  const options = { codec: encrypting(place.keyPrefix), logger, idleTimeoutMs: 60_000 };
  const instance = () => place.instance(options);
  const attacker = await attackerAt(redis, place);
  return { logger, place, instance, attacker, one: await instance() };
}

/** What a process says that has seen nothing of it, and one that has. */
async function readings(
  { instance, one }: { instance: () => Promise<Instance>; one: Instance },
  read: (of: Instance) => Promise<unknown>,
): Promise<Error[]> {
  const cold = await instance();
  return [await rejection(read(one)), await rejection(read(cold))];
}

/** The line of one item with the value of another. */
function swapped(line: Buffer, value: Buffer): Buffer {
  return Buffer.concat([
    line.subarray(0, line.indexOf(10) + 1),
    value.subarray(value.indexOf(10) + 1),
  ]);
}

const said = (content: string) => ({ role: 'user' as const, content });

describe('somebody who writes to Redis', () => {
  it.each(['d', 'c'])("cannot put one session's value %s into another", async (field) => {
    const scene = await setUp();
    const { attacker, one, instance } = scene;
    await one.store.create('a', { metadata: { of: 'a' } });
    await one.store.create('b', { metadata: { of: 'b' } });
    await attacker.setField('b', field, await attacker.field('a', field));
    const cold = await instance();
    expect(await rejection(cold.store.get('b'))).toBeInstanceOf(DecryptionError);
    expect((await cold.store.get('a'))?.metadata).toEqual({ of: 'a' });
  });

  it('cannot put an older state under the newer version', async () => {
    const { attacker, one, instance } = await setUp();
    await one.store.create('s', { metadata: { plan: 'pro' } });
    const older = await attacker.field('s', 'd');
    await one.store.update('s', { metadata: { plan: 'free' } });
    await attacker.setField('s', 'd', older);
    expect(await rejection((await instance()).store.get('s'))).toBeInstanceOf(DecryptionError);
  });

  it('cannot put a whole older session back before a process that knows the newer one', async () => {
    const { attacker, one, instance } = await setUp();
    await one.store.create('s', { metadata: { plan: 'pro' } });
    const dumps = await attacker.dumps('s');
    await one.store.update('s', { metadata: { plan: 'free' } });
    await attacker.restore(dumps);
    const error = await rejection(one.store.get('s'));
    expect(error).toBeInstanceOf(DecryptionError);
    expect(error.message).toContain('it is at version 1, after 2, and the server is the same');
    expect(await rejection(one.begin('s'))).toBeInstanceOf(DecryptionError);
    expect(await rejection(one.store.update('s', { escalated: true }))).toBeInstanceOf(
      DecryptionError,
    );
    // Who has seen nothing can't tell: docs/security.md says so.
    expect((await (await instance()).store.get('s'))?.metadata).toEqual({ plan: 'pro' });
  });

  it('cannot hide messages from a process that has seen them', async () => {
    const { attacker, one } = await setUp();
    await one.store.create('s');
    await one.store.appendMessages('s', [said('one'), said('two')]);
    await one.store.get('s');
    await attacker.setHeader('s', { [at.lastSeq]: '1' });
    expect((await rejection(one.store.get('s'))).message).toContain('it has fewer messages');
  });

  it('cannot bring a session back that was ended', async () => {
    const { attacker, one, logger } = await setUp();
    await one.store.create('s');
    const dumps = await attacker.dumps('s');
    expect(await one.revoke('s')).toBe(true);
    await attacker.restore(dumps);
    expect(await one.store.get('s')).toBeNull();
    await expect.poll(async () => attacker.do('EXISTS', attacker.key('s', 0))).toBe(0);
    expect(logger.messages('warn')).toContain(
      'A session that had ended was put back, and is ended again',
    );
    await attacker.restore(dumps);
    expect(await rejection(one.begin('s'))).toBeInstanceOf(SessionNotFoundError);
  });

  it('cannot bring a session back before a process that has seen it gone', async () => {
    const { attacker, one, instance } = await setUp();
    const other = await instance();
    await one.store.create('s');
    const dumps = await attacker.dumps('s');
    await other.store.get('s');
    await one.store.delete('s');
    expect(await other.store.get('s')).toBeNull();
    await attacker.restore(dumps);
    expect(await other.store.get('s')).toBeNull();
  });

  it.each([
    ['with turns', async (of: Instance) => of.turn('s', async () => {})],
    ['without any', async () => {}],
  ])('cannot put an earlier session in the place of a later one of its id, %s', async (_, use) => {
    const { attacker, one, instance } = await setUp();
    const other = await instance();
    await one.store.create('s', { metadata: { of: 'the first' } });
    await use(one);
    const dumps = await attacker.dumps('s');
    await one.store.delete('s');
    await one.store.create('s', { metadata: { of: 'the second' } });
    await use(one);
    await other.store.get('s');
    await attacker.restore(dumps);
    const error = await rejection(other.store.get('s'));
    expect(error).toBeInstanceOf(DecryptionError);
    expect(error.message).toContain('it is an earlier session of this id');
  });

  it.each([
    ['its absolute limit', { [at.absolute]: String(Date.now() + 9e9) }],
    ['its creation', { [at.created]: '1' }],
    ['both', { [at.absolute]: String(Date.now() + 9e9), [at.created]: String(Date.now() + 9e8) }],
  ])('cannot make a session live longer, by %s', async (_, words) => {
    const scene = await setUp();
    await scene.one.store.create('s');
    await scene.attacker.setHeader('s', words);
    for (const error of await readings(scene, (of) => of.store.get('s'))) {
      expect(error).toBeInstanceOf(DecryptionError);
    }
  });

  it('cannot put a token of its own in the place of another', async () => {
    const scene = await setUp();
    const { session } = await scene.one.create();
    const { token, hash } = issueToken(session.id);
    await scene.attacker.setHeader(session.id, { [at.token]: `=${hash}` });
    for (const error of await readings(scene, (of) => of.authenticate(token))) {
      expect(error).toBeInstanceOf(DecryptionError);
    }
  });

  it('cannot inject what is not encrypted', async () => {
    const { attacker, one, instance } = await setUp();
    await one.store.create('s');
    const state = {
      userId: 'eve',
      threadId: 't',
      status: 'active',
      escalated: false,
      metadata: {},
    };
    await attacker.setField('s', 'd', JSON.stringify(state));
    const error = await rejection((await instance()).store.get('s'));
    expect(error).toBeInstanceOf(DecryptionError);
    expect(error.message).toContain('is stored in plain text');
  });

  it('cannot exchange, double or invent messages', async () => {
    const { attacker, one } = await setUp();
    await one.store.create('s');
    await one.store.create('t');
    for (const content of ['one', 'two', 'three'])
      await one.store.appendMessages('s', [said(content)]);
    await one.store.appendMessages('t', [said('other')]);
    const key = attacker.key('s', 7);
    const pieces = await attacker.items('s', 7);
    const [first, second] = pieces as [Buffer, Buffer];
    const [foreign] = (await attacker.items('t', 7)) as [Buffer];
    for (const forged of [
      swapped(first, second),
      swapped(first, foreign),
      Buffer.concat([
        first.subarray(0, first.indexOf(10) + 1),
        Buffer.from('[["x","operator","Pay me"]]'),
      ]),
    ]) {
      await attacker.do('LSET', key, '0', forged);
      expect(await rejection(one.store.messages('s'))).toBeInstanceOf(DecryptionError);
    }
    await attacker.do('LSET', key, '0', first);
    expect(await one.store.messages('s')).toHaveLength(3);
  });

  it('cannot give one request the outcome of another', async () => {
    const { attacker, one } = await setUp();
    await one.store.create('s');
    for (const idempotencyKey of ['first', 'second']) {
      await one.turn('s', { idempotencyKey }, async () => `outcome of the ${idempotencyKey}`);
    }
    const key = attacker.key('s', 2);
    const [, first, , second] = (await attacker.items('s', 2)) as [Buffer, Buffer, Buffer, Buffer];
    const repeating = () => one.turn('s', { idempotencyKey: 'first' }, async () => 'run again');
    await attacker.do('LSET', key, '1', swapped(first, second));
    expect(await rejection(repeating())).toBeInstanceOf(DecryptionError);
    // The digest of its request is bound to its key, too.
    await attacker.do('LSET', key, '1', second);
    await attacker.do('LSET', key, '3', first);
    expect(await rejection(repeating())).toBeInstanceOf(IdempotencyMismatchError);
  });

  it('cannot give one turn the live output of another', async () => {
    const { attacker, one } = await setUp();
    await one.store.create('s');
    for (const text of ['one', 'two']) {
      await one.startTurn('s', async (turn) => turn.emit({ type: 'text', text })).result;
    }
    const pieces = await attacker.items('s', 3);
    const bodies = pieces.map((piece) => piece.subarray(piece.indexOf(10) + 1)).reverse();
    for (const [index, piece] of pieces.entries()) {
      const forged = Buffer.concat([
        piece.subarray(0, piece.indexOf(10) + 1),
        bodies[index] ?? Buffer.alloc(0),
      ]);
      await attacker.do('LSET', attacker.key('s', 3), String(index), forged);
    }
    const first = async () => {
      for await (const _ of one.subscribe('s', { after: 0 })) break;
    };
    expect(await rejection(first())).toBeInstanceOf(DecryptionError);
  });

  it('cannot end the lease of a turn so that its write is mixed with another', async () => {
    const { attacker, one } = await setUp();
    await one.store.create('s');
    const { lease } = await one.begin('s');
    await attacker.setHeader('s', { [at.owner]: '-' });
    const committing = one.store.commit(
      lease,
      { nonce: randomUUID() },
      { keep: false, outcome: undefined },
    );
    expect(await rejection(committing)).toBeInstanceOf(LeaseLostError);
  });

  it("cannot remove a session by an entry in the index of what expires, nor claim it by a user's", async () => {
    const { attacker, one, place } = await setUp();
    await one.store.create('s', { userId: 'ada' });
    await one.store.create('e', { userId: 'eve' });
    await attacker.do('ZADD', attacker.key('s', 4), '1', 's');
    expect(await one.store.cleanupExpired()).toBe(0);
    expect(await one.store.exists('s')).toBe(true);
    const [eve] = encrypting(place.keyPrefix).userNames('eve');
    await attacker.do('ZADD', place.keys.user(eve)[0], '1', 's');
    const { sessions } = await one.store.listActive({ userId: 'eve' });
    expect(sessions.map(({ id }) => id)).toEqual(['e']);
    expect(await one.revokeUser('eve')).toBe(1);
    expect(await one.store.exists('s')).toBe(true);
  });

  it('cannot let a waiting turn begin by a message that it was granted', async () => {
    const { attacker, one, place } = await setUp();
    await one.store.create('s');
    const held = await one.begin('s');
    const waiting = one.begin('s', { nonce: 'waiting-turn' });
    await expect.poll(() => attacker.do('ZCARD', attacker.key('s', 1))).toBe(1);
    const channels = (await attacker.do(
      'PUBSUB',
      'CHANNELS',
      `${place.keys.inboxPrefix('')}*`,
    )) as Buffer[];
    for (const channel of channels) await attacker.do('PUBLISH', channel, 'granted waiting-turn');
    // It asks, and is told to wait on: the turn ahead still has its lease.
    await one.store.renew(held.lease, 30_000);
    expect((await one.store.get('s'))?.version).toBe(1);
    await one.store.release(held.lease);
    expect((await waiting).lease.fence).toBeGreaterThan(held.lease.fence);
  });

  it('makes nobody overwrite what cannot be read', async () => {
    const { attacker, one, instance } = await setUp();
    await one.store.create('s', { metadata: { plan: 'pro' } });
    const state = await attacker.field('s', 'd');
    const broken = Buffer.from(state);
    broken[20] = (broken[20] ?? 0) ^ 1;
    await attacker.setField('s', 'd', broken);
    const cold = await instance();
    const attempts = [
      () => cold.store.update('s', { escalated: true }),
      () => cold.turn('s', async (turn) => turn.update({ escalated: true })),
      () => cold.getOrCreate({ sessionId: 's' }),
      () => cold.rotateToken('s'),
    ];
    for (const attempt of attempts) {
      expect(await rejection(attempt())).toBeInstanceOf(DecryptionError);
    }
    expect(await attacker.field('s', 'd')).toEqual(broken);
    expect((await attacker.field('s', 'h')).toString().split(' ')[at.owner]).toBe('-');
    await attacker.setField('s', 'd', state);
    expect((await cold.store.get('s'))?.metadata).toEqual({ plan: 'pro' });
  });
});

describe('a creation whose outcome was not learned', () => {
  it('is made anew when it is repeated long after its session was ended', async () => {
    const { attacker, place } = await setUp();
    const [name] = encrypting(place.keyPrefix).userNames('ada');
    const [entries] = place.keys.user(name);
    const calls = new HeldCalls();
    const broken = await place.instance({
      codec: encrypting(place.keyPrefix),
      connect: calls.connect,
    });
    const held = calls.hold('user', 'confirm');
    const creating = rejection(broken.store.create('s', { userId: 'ada' }, { nonce: 'of-ada' }));
    await held.reached;
    await attacker.do('SET', entries, 'of another type');
    held.release();
    expect((await creating).name).toBe('OutcomeUnknownError');
    await attacker.do('DEL', entries);
    expect(await broken.store.delete('s')).toBe(true);
    // What is remembered of its removal is gone after a minute.
    await attacker.do('DEL', attacker.key('s', 10));
    await broken.store.create('s', { userId: 'ada' }, { nonce: 'of-ada' });
    expect((await broken.store.get('s'))?.userId).toBe('ada');
  });
});

describe('a server that has lost the newest writes', () => {
  it('is told from an attack, and accepted: with a warning and an event', async () => {
    const own = await startedRedis();
    const { attacker, one, logger } = await setUp(own);
    const lost: object[] = [];
    one.on('lostWrites', (event) => lost.push(event));
    await one.store.create('s', { metadata: { plan: 'pro' } });
    const dumps = await attacker.dumps('s');
    await one.store.update('s', { metadata: { plan: 'free' } });
    await own.kill('SIGKILL');
    await own.restart();
    const later = await attackerAt(own, attacker.place);
    await later.restore(dumps);
    expect((await one.store.get('s'))?.metadata).toEqual({ plan: 'pro' });
    expect(lost).toEqual([{ sessionId: 's', knownVersion: 2, version: 1 }]);
    expect(logger.messages('warn')).toContain(
      'A session is older on this server than it was on the one before',
    );
    await one.store.update('s', { metadata: { plan: 'team' } });
    expect((await one.store.get('s'))?.metadata).toEqual({ plan: 'team' });
    expect(lost).toHaveLength(1);
  });

  it.each([
    ['read', async (of: Instance) => of.store.get('s')],
    ['begin', async (of: Instance) => of.turn('s', async () => {})],
    ['write', async (of: Instance) => of.store.update('s', { escalated: true })],
  ])('is told from an attack on a connection that stayed: %s', async (_, use) => {
    const [own, successor] = [await startedRedis(), await startedRedis()];
    const { one } = await setUp(own);
    const lost: object[] = [];
    one.on('lostWrites', (event) => lost.push(event));
    await one.store.create('s', { metadata: { plan: 'pro' } });
    const [first, second] = [await connected(own.url), await connected(successor.url)];
    for (const each of [first, second]) {
      await each.send(['CONFIG', 'SET', 'repl-diskless-sync-delay', '0']);
    }
    const follow = async (replica: typeof first, master: RedisServer) => {
      await replica.send(['REPLICAOF', '127.0.0.1', new URL(master.url).port]);
      const state = async () => String(await replica.send(['INFO', 'replication']));
      await expect.poll(state, { timeout: 60_000 }).toContain('master_link_status:up');
      await replica.send(['REPLICAOF', 'NO', 'ONE']);
    };
    await follow(second, own);
    await one.store.update('s', { metadata: { plan: 'free' } });
    await follow(first, successor);
    await use(one);
    expect((await one.store.get('s'))?.metadata).toEqual({ plan: 'pro' });
    expect(lost).toMatchObject([{ sessionId: 's', knownVersion: 2, version: 1 }]);
  });
});
