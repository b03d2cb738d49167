import assert from 'node:assert/strict';
import {
  HoldfastError,
  StoreUnavailableError,
  ValidationError,
  VersionConflictError,
} from '../../errors/errors.ts';
import type { SuiteContext } from './suite-context.ts';

/** Laws 1, 2, 8 and 10 on single sessions. */
export function sessionCases(context: SuiteContext): void {
  context.group('sessions', () => {
    context.case('a created session is read as it was given', async () => {
      const { store } = await context.place();
      const created = await store.create('s', {
        userId: 'u',
        threadId: 't',
        metadata: { plan: 'pro', tags: ['a', { b: null }] },
        counters: { messageCount: 3, views: 7 },
      });
      assert.deepEqual(await store.get('s'), created);
      const { createdAt, updatedAt, lastActivity, expiresAt, ...rest } = created;
      assert.deepEqual(rest, {
        id: 's',
        userId: 'u',
        threadId: 't',
        status: 'active',
        escalated: false,
        messageCount: 3,
        counters: { messageCount: 3, views: 7 },
        metadata: { plan: 'pro', tags: ['a', { b: null }] },
        version: 1,
      });
      assert.equal(updatedAt, createdAt);
      assert.equal(lastActivity, createdAt);
      assert.equal(expiresAt, createdAt + context.idleMs);
    });

    context.case('law 1: null means never existed, expired or deleted', async () => {
      const { store } = await context.place();
      assert.equal(await store.get('never'), null);
      assert.equal(await store.exists('never'), false);
      assert.equal(await store.delete('never'), false);
      assert.equal(await store.touch('never'), false);
      await store.create('deleted');
      assert.equal(await store.delete('deleted'), true);
      assert.equal(await store.get('deleted'), null);
      await store.create('expired');
      await context.clock.advance(context.idleMs + 1);
      assert.equal(await store.get('expired'), null);
      assert.equal(await store.exists('expired'), false);
    });

    context.case('law 1: a store that is down throws, and yields no fresh session', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      await store.close();
      const calls: Record<string, () => Promise<unknown>> = {
        get: () => store.get('s'),
        exists: () => store.exists('s'),
        create: () => store.create('other'),
        update: () => store.update('s', { escalated: true }),
        increment: () => store.incrementCounter('s', 'n'),
        delete: () => store.delete('s'),
        list: () => store.listActive(),
        count: () => store.countActive(),
        messages: () => store.messages('s'),
        append: () => store.appendMessages('s', [{ role: 'user', content: 'x' }]),
        setBatch: () => store.setBatch([{ id: 'b', data: {} }]),
        getOrCreate: () => sessions.getOrCreate({ sessionId: 's' }),
        turn: () => sessions.turn('s', async () => 1),
        subscribe: async () => {
          for await (const _ of sessions.subscribe('s', { after: 0 })) return;
        },
      };
      for (const [name, call] of Object.entries(calls)) {
        await assert.rejects(call, StoreUnavailableError, name);
      }
      const health = await store.healthCheck();
      assert.equal(health.healthy, false);
    });

    context.case('law 2: 1,000 concurrent increments end at 1,000', async () => {
      const { store, writer } = await context.place();
      const writers = [store, (await writer()).store, (await writer()).store];
      await store.create('s');
      const values = await Promise.all(
        Array.from({ length: 1_000 }, (_, index) =>
          writers[index % 3]?.incrementCounter('s', 'messageCount', 1),
        ),
      );
      assert.equal((await store.get('s', { fresh: true }))?.messageCount, 1_000);
      assert.equal(new Set(values).size, 1_000, 'every increment saw a value of its own');
    });

    context.case('law 2: 1,000 concurrent updates of different keys keep all', async () => {
      const { store, writer } = await context.place();
      const writers = [store, (await writer()).store, (await writer()).store];
      await store.create('s', { metadata: { kept: true } });
      await Promise.all(
        Array.from({ length: 1_000 }, (_, index) =>
          writers[index % 3]?.update('s', { metadata: { [`key${index}`]: index } }),
        ),
      );
      const session = await store.get('s', { fresh: true });
      assert.equal(Object.keys(session?.metadata ?? {}).length, 1_001);
      assert.equal(session?.metadata.key999, 999);
      assert.equal(session?.version, 1_001);
    });

    context.case('law 2: updates and increments at once lose nothing of each other', async () => {
      const { store, writer } = await context.place();
      const other = (await writer()).store;
      await store.create('s');
      await Promise.all(
        Array.from({ length: 200 }, (_, index) => [
          store.incrementCounter('s', 'a', 2),
          other.update('s', { metadata: { [`k${index}`]: 1 } }),
        ]).flat() as Promise<unknown>[],
      );
      const session = await store.get('s', { fresh: true });
      assert.equal(session?.counters.a, 400);
      assert.equal(Object.keys(session?.metadata ?? {}).length, 200);
    });

    context.case(
      'update merges by RFC 7396: null removes, objects merge, arrays replace',
      async () => {
        const { store } = await context.place();
        await store.create('s', { metadata: { a: 1, b: { c: 2, d: 3 }, e: [1, 2] } });
        const session = await store.update('s', {
          escalated: true,
          metadata: { a: null, b: { c: 4 }, e: [9] },
        });
        assert.deepEqual(session.metadata, { b: { c: 4, d: 3 }, e: [9] });
        assert.equal(session.escalated, true);
        assert.deepEqual(await store.get('s'), session);
      },
    );

    context.case('update with a version is compare-and-set', async () => {
      const { store } = await context.place();
      await store.create('s');
      await store.update('s', { escalated: true }, { ifVersion: 1 });
      await assert.rejects(
        store.update('s', { escalated: false }, { ifVersion: 1 }),
        VersionConflictError,
      );
      const session = await store.get('s');
      assert.equal(session?.escalated, true);
      assert.equal(session?.version, 2);
    });

    context.case(
      'set creates, replaces only with the version, and takes a session back',
      async () => {
        const { store } = await context.place();
        const first = await store.set('s', { metadata: { a: 1, b: 2 }, counters: { n: 5 } });
        await assert.rejects(store.set('s', { metadata: {} }), VersionConflictError);
        const second = await store.set(
          's',
          { ...first, metadata: { a: 3 } },
          { ifVersion: first.version },
        );
        assert.deepEqual(second.metadata, { a: 3 });
        assert.deepEqual(second.counters, { n: 5 });
        assert.equal(second.version, 2);
        assert.equal(second.threadId, first.threadId);
        await assert.rejects(store.set('s', first, { ifVersion: 1 }), VersionConflictError);
        assert.deepEqual((await store.get('s'))?.metadata, { a: 3 });
      },
    );

    context.case('create refuses an id that is taken', async () => {
      const { store } = await context.place();
      await store.create('s', { metadata: { first: true } });
      await assert.rejects(store.create('s'), VersionConflictError);
      assert.deepEqual((await store.get('s'))?.metadata, { first: true });
    });

    context.case('of 20 concurrent creations of one id one wins', async () => {
      const { store, writer } = await context.place();
      const other = (await writer()).store;
      const results = await Promise.allSettled(
        Array.from({ length: 20 }, (_, index) =>
          (index % 2 === 0 ? store : other).create('s', { metadata: { index } }),
        ),
      );
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    });

    context.case('getOrCreate creates once, and changes nothing of what is there', async () => {
      const { sessions, store, writer } = await context.place();
      const other = await writer();
      const all = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          (index % 2 === 0 ? sessions : other).getOrCreate({
            sessionId: 's',
            metadata: { index },
          }),
        ),
      );
      const session = await store.get('s', { fresh: true });
      for (const one of all) assert.deepEqual(one, session);
      assert.equal(session?.version, 1);
    });

    context.case(
      'law 8: what was handed out never changes, and what was handed in is copied',
      async () => {
        const { store } = await context.place();
        const metadata = { list: [1, 2], deep: { a: 1 } };
        const created = await store.create('s', { metadata });
        metadata.list.push(3);
        metadata.deep.a = 2;
        const before = structuredClone(created);
        await store.update('s', { metadata: { deep: { a: 5 } } });
        await store.incrementCounter('s', 'messageCount');
        assert.deepEqual(created, before);
        assert.deepEqual(created.metadata, { list: [1, 2], deep: { a: 1 } });
        const read = await store.get('s');
        assert.throws(() => Object.assign(read ?? {}, { escalated: true }), TypeError);
        assert.throws(() => Object.assign(read?.metadata.deep ?? {}, { a: 9 }), TypeError);
        assert.throws(() => Object.assign(read?.counters ?? {}, { messageCount: 9 }), TypeError);
        assert.throws(() => (read?.metadata.list as number[] | undefined)?.push(9), TypeError);
        assert.deepEqual((await store.get('s'))?.metadata, { list: [1, 2], deep: { a: 5 } });
      },
    );

    context.case('law 8: that goes for pages, batches and messages, too', async () => {
      const { store } = await context.place();
      await store.create('s', { userId: 'u', metadata: { deep: { a: 1 } } });
      const content = { text: 'Hi', parts: [1] };
      const [appended] = await store.appendMessages('s', [{ role: 'user', content }]);
      content.parts.push(2);
      const read = async () => [
        ...(await store.listActive()).sessions,
        ...(await store.listActive({ userId: 'u' })).sessions,
        ...(await store.getBatch(['s'])).values(),
        ...(await store.messages('s')),
      ];
      const before = await read();
      assert.deepEqual(before.at(-1), appended);
      assert.deepEqual(appended?.content, { text: 'Hi', parts: [1] });
      for (const handedOut of before) {
        assert.throws(() => Object.assign(handedOut, { id: 'x' }), TypeError);
        const deep = 'content' in handedOut ? handedOut.content : handedOut.metadata.deep;
        assert.throws(() => Object.assign(deep ?? {}, { a: 9, text: 'x' }), TypeError);
      }
      assert.deepEqual(await read(), before);
    });

    context.case('law 10: every failure is a HoldfastError that says what to do', async () => {
      const { sessions, store } = await context.place();
      await store.create('s', { userId: 'u', status: 'closed' });
      const failures: readonly (() => Promise<unknown>)[] = [
        () => store.update('none', { escalated: true }),
        () => store.incrementCounter('none', 'n'),
        () => store.messages('none'),
        () => store.create('s'),
        () => store.update('s', { escalated: true }, { ifVersion: 9 }),
        () => store.get('bad id'),
        () => sessions.turn('s', async () => 1),
        () => sessions.turn('none', async () => 1),
        () => sessions.getOrCreate({ sessionId: 's', userId: 'x' }),
        () => sessions.authenticate('nonsense'),
        () => sessions.requireFresh('s', 10),
      ];
      for (const failure of failures) {
        await assert.rejects(failure, (error) => {
          assert.ok(error instanceof HoldfastError);
          assert.match(error.code, /^[A-Z_]+$/);
          assert.ok(error.status >= 400 && error.status < 600);
          assert.ok(error.message.includes(error.remedy), 'the message says what to do');
          return true;
        });
      }
    });

    context.case('law 10: a write repeated under its nonce takes effect once', async () => {
      const { store } = await context.place();
      const nonce = 'the-same';
      const created = await store.create('s', {}, { nonce });
      assert.deepEqual(await store.create('s', {}, { nonce }), created);
      assert.equal(await store.incrementCounter('s', 'n', 5, { nonce }), 5);
      assert.equal(await store.incrementCounter('s', 'n', 5, { nonce }), 5);
      const made = await store.set('t', { metadata: { a: 1 } }, { nonce });
      assert.deepEqual(await store.set('t', { metadata: { a: 1 } }, { nonce }), made);
      const set = await store.set('t', {}, { ifVersion: 1, nonce: 'another' });
      assert.deepEqual(await store.set('t', {}, { ifVersion: 1, nonce: 'another' }), set);
      const updated = await store.update('s', { metadata: { a: 1 } }, { nonce });
      await store.update('s', { metadata: { a: 2 } });
      assert.deepEqual(await store.update('s', { metadata: { a: 1 } }, { nonce }), updated);
      const appended = await store.appendMessages('s', [{ role: 'user', content: 'x' }], { nonce });
      assert.deepEqual(
        await store.appendMessages('s', [{ role: 'user', content: 'x' }], { nonce }),
        appended,
      );
      const session = await store.get('s');
      assert.deepEqual(session?.metadata, { a: 2 });
      assert.deepEqual(session?.counters, { n: 5 });
      assert.equal((await store.messages('s')).length, 1);
    });

    context.case('a batch reads, writes and deletes each of its sessions by itself', async () => {
      const { store } = await context.place();
      await store.create('taken');
      const results = await store.setBatch([
        { id: 'a', data: { metadata: { n: 1 } } },
        { id: 'taken', data: {} },
        { id: 'bad id', data: {} },
        { id: 'b', data: {} },
      ]);
      assert.deepEqual(
        results.map((result) => ('session' in result ? result.session.id : result.error.name)),
        ['a', 'VersionConflictError', 'ValidationError', 'b'],
      );
      const read = await store.getBatch(['a', 'none', 'b', 'a']);
      assert.deepEqual([...read.keys()], ['a', 'b']);
      assert.deepEqual(read.get('a')?.metadata, { n: 1 });
      assert.equal(await store.deleteBatch(['a', 'b', 'b', 'none']), 2);
      assert.equal((await store.getBatch(['a', 'b'])).size, 0);
      for (const id of ['c', 'd']) await store.create(id);
      await assert.rejects(store.deleteBatch(['c', 'bad id', 'd']), ValidationError);
      assert.equal((await store.getBatch(['c', 'd'])).size, 0, 'one that fails keeps no other');
    });

    context.case(
      'law 10: of a batch whose caller leaves meanwhile, all that is written is told',
      async () => {
        const { store } = await context.place();
        await store.create('taken');
        const leaving = new AbortController();
        const { signal } = leaving;
        const entries = ['a', 'taken', 'b'].map((id) => ({ id, data: {} }));
        const batch = store.setBatch(entries, { signal });
        leaving.abort(new Error('left'));
        const told = await batch.then(
          (results) => results.flatMap((result) => ('session' in result ? result.session.id : [])),
          (error: Error) => {
            assert.equal(error.message, 'left');
            return [];
          },
        );
        const written = await store.getBatch(['a', 'b'], { fresh: true });
        assert.deepEqual(told, [...written.keys()]);
      },
    );

    context.case('an aborted signal refuses the call before it writes', async () => {
      const { store } = await context.place();
      await store.create('s');
      const signal = AbortSignal.abort(new Error('left'));
      await assert.rejects(store.get('s', { signal }), /left/);
      await assert.rejects(store.update('s', { escalated: true }, { signal }), /left/);
      await assert.rejects(store.incrementCounter('s', 'n', 1, { signal }), /left/);
      await assert.rejects(store.setBatch([{ id: 't', data: {} }], { signal }), /left/);
      await assert.rejects(store.deleteBatch(['s'], { signal }), /left/);
      assert.equal(await store.exists('t'), false);
      assert.equal((await store.get('s'))?.version, 1);
    });

    context.case('stats and health tell of the store, and the probe leaves nothing', async () => {
      const { store } = await context.place();
      await store.create('a');
      await store.create('b');
      const held = await context.beginByHand(store, 'a');
      const stats = await store.getStats();
      assert.ok(['in_memory', 'redis'].includes(stats.storeType));
      assert.equal(stats.activeSessions, 2);
      assert.equal(stats.activeLeases, 1);
      assert.equal(stats.lockingEnabled, true);
      await store.release(held.lease);
      assert.equal((await store.getStats()).activeLeases, 0);
      const health = await store.healthCheck();
      assert.deepEqual(health, {
        healthy: true,
        operations: { set: true, get: true, delete: true },
      });
      assert.equal(await store.countActive(), 2);
    });

    context.case('events tell of what happens, once', async () => {
      const { store } = await context.place();
      const seen: string[] = [];
      for (const name of ['created', 'deleted', 'expired', 'escalated', 'status'] as const) {
        store.on(name, ({ sessionId }) => seen.push(`${name} ${sessionId}`));
      }
      const stop = store.on('created', () => seen.push('not any more'));
      stop();
      await store.create('a');
      await store.update('a', { escalated: true, status: 'handed_over' });
      await store.update('a', { escalated: true, metadata: { x: 1 } });
      await store.delete('a');
      await store.create('b');
      await context.clock.advance(context.idleMs + 1);
      await store.cleanupExpired();
      await context.until(() => seen.length >= 6);
      assert.deepEqual(seen, [
        'created a',
        'escalated a',
        'status a',
        'deleted a',
        'created b',
        'expired b',
      ]);
    });
  });
}
