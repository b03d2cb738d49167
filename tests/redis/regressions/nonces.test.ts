import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ValidationError,
  VersionConflictError,
} from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { rejection } from '../connection/fixtures.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

describe('an update that another instance repeats under its nonce', () => {
  /** Made by `one` of a state that `other` has not seen. */
  async function madeByOne() {
    const place = new SharedNamespace(server.url);
    const [one, other] = [await place.instance(), await place.instance()];
    await one.store.create('s');
    await other.store.update('s', { metadata: { seen: 1 } });
    await one.store.update('s', { metadata: { kept: 1 } });
    const update = { metadata: { made: 1 } };
    await one.store.update('s', update, { nonce: 'n' });
    return { one, other, repeat: () => other.store.update('s', update, { nonce: 'n' }) };
  }

  it('returns the session that is there, of which the next change can be made', async () => {
    const { one, other, repeat } = await madeByOne();
    const repeated = await repeat();
    expect(repeated).toEqual(await one.store.get('s'));
    const { metadata, version } = repeated;
    const next = { metadata: { ...metadata, next: 1 } };
    await other.store.set('s', next, { ifVersion: version });
    const all = { seen: 1, kept: 1, made: 1, next: 1 };
    expect((await one.store.get('s'))?.metadata).toEqual(all);
  });

  it('returns a version with which a later change cannot be overwritten', async () => {
    const { one, other, repeat } = await madeByOne();
    await one.store.update('s', { metadata: { later: 1 } });
    const { metadata, version } = await repeat();
    const next = { metadata: { ...metadata, next: 1 } };
    const overwritten = other.store.set('s', next, { ifVersion: version });
    expect(await rejection(overwritten)).toBeInstanceOf(VersionConflictError);
    const all = { seen: 1, kept: 1, made: 1, later: 1 };
    expect((await one.store.get('s'))?.metadata).toEqual(all);
  });
});

describe('the nonce of a session’s creation', () => {
  it('names a commit of its own', async () => {
    const sessions = await new SharedNamespace(server.url).instance();
    await sessions.store.create('s', {}, { nonce: 'same' });
    await sessions.store.incrementCounter('s', 'clicks');
    const { lease } = await sessions.begin('s');
    await sessions.store.incrementCounter('s', 'clicks');
    const changes = { nonce: 'same', increments: new Map([['answers', 1]]) };
    const end = { keep: false, outcome: undefined } as const;
    const { session } = await sessions.store.commit(lease, changes, end);
    expect(session.counters).toEqual({ clicks: 2, answers: 1 });
    expect(await sessions.store.get('s')).toEqual(session);
  });
});

describe('a page of the history', () => {
  it.each(['limit', 'before', 'after'])('of an infinite %s is refused', async (name) => {
    const { store } = await new SharedNamespace(server.url).instance();
    await store.create('s');
    const error = await rejection(store.messages('s', { [name]: Infinity }));
    expect(error).toBeInstanceOf(ValidationError);
    expect(error.message).toContain(name);
  });
});
