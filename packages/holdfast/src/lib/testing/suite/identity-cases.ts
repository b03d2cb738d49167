import assert from 'node:assert/strict';
import {
  FingerprintMismatchError,
  InvalidTokenError,
  SessionLimitError,
  SessionNotFoundError,
  StepUpRequiredError,
  VersionConflictError,
} from '../../errors/errors.ts';
import type { ClientBinding } from '../../manager/client-binding.ts';
import { Gate, type SuiteContext } from './suite-context.ts';

/** Law 12, and tokens, bindings and the ways to end a user's sessions. */
export function identityCases(context: SuiteContext): void {
  context.group('identity', () => {
    context.case('law 12: a session of another user does not exist', async () => {
      const { sessions, store } = await context.place();
      await store.create('s', { userId: 'ann' });
      await store.create('nobody');
      await assert.rejects(
        sessions.getOrCreate({ sessionId: 's', userId: 'bob' }),
        SessionNotFoundError,
      );
      await assert.rejects(
        sessions.turn('s', { userId: 'bob' }, async () => 1),
        SessionNotFoundError,
      );
      await assert.rejects(
        sessions.getOrCreate({ sessionId: 'nobody', userId: 'bob' }),
        SessionNotFoundError,
      );
      assert.equal(await sessions.turn('s', { userId: 'ann' }, async () => 'hers'), 'hers');
      assert.equal((await sessions.getOrCreate({ sessionId: 's', userId: 'ann' })).userId, 'ann');
      // No claim is made here: code that vouches for its callers may leave it out.
      assert.equal(await sessions.turn('s', async () => 'fine'), 'fine');
    });

    context.case('law 12: another user is refused at once, also while a turn runs', async () => {
      const { sessions, store } = await context.place();
      await store.create('s', { userId: 'ann' });
      await context.beginByHand(store, 's');
      await assert.rejects(
        sessions.turn('s', { userId: 'bob' }, async () => 1),
        SessionNotFoundError,
      );
      await assert.rejects(
        sessions.turn('s', { userId: 'bob', onBusy: 'interrupt' }, async () => 1),
        SessionNotFoundError,
      );
      assert.equal((await store.getStats()).waiters, 0);
    });

    context.case('a token opens its own session and nothing else', async () => {
      const { sessions, store, writer } = await context.place();
      const { session, token } = await sessions.create({ userId: 'u' });
      const other = await sessions.create();
      assert.match(session.id, /^[A-Za-z0-9_-]{22,}$/);
      assert.notEqual(token, other.token);
      assert.deepEqual(await (await writer()).authenticate(token), session);
      const wrong = token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A');
      await store.create('without-token');
      for (const bad of [wrong, '', 'x', `${token}x`, other.token.replace(/\.[^.]+\./, '.AA.')]) {
        await assert.rejects(sessions.authenticate(bad), InvalidTokenError);
      }
      const id = session.id;
      assert.deepEqual(await sessions.authenticate(token, undefined, id), session);
      await assert.rejects(
        sessions.authenticate(token, undefined, other.session.id),
        InvalidTokenError,
      );
      assert.equal(await sessions.turn(id, { token }, async () => 'mine'), 'mine');
      for (const bad of [wrong, other.token, 'x']) {
        await assert.rejects(
          sessions.turn(id, { token: bad }, async () => 1),
          InvalidTokenError,
        );
      }
      assert.equal((await store.get(id, { fresh: true }))?.version, 2);
      assert.ok(!JSON.stringify(await store.getWithCredentials(id)).includes(token.slice(-43)));
    });

    context.case('a session is read under its token alone, where one is asked for', async () => {
      const { sessions, store } = await context.place();
      const { session, token } = await sessions.create();
      const wrong = { tokenHash: 'that of another token' };
      assert.equal(await store.getWithCredentials(session.id, wrong), null);
      await store.create('s');
      assert.equal(await store.getWithCredentials('s', wrong), null);
      const stored = await store.getWithCredentials(session.id);
      const tokenHash = stored?.credentials.tokenHash ?? '';
      const right = await store.getWithCredentials(session.id, { tokenHash });
      assert.equal(right?.session.id, session.id);
      // A wrong one ends nothing.
      assert.equal((await sessions.authenticate(token)).id, session.id);
    });

    context.case('an unknown session and a wrong token cannot be told apart', async () => {
      const { sessions, store } = await context.place();
      const { session, token } = await sessions.create();
      const wrong = token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A');
      const messageOf = (call: Promise<unknown>) =>
        call.then(
          () => 'no error',
          (error: Error) => `${error.name} ${error.message}`,
        );
      const first = await messageOf(sessions.authenticate(wrong));
      const firstTurn = await messageOf(sessions.turn(session.id, { token: wrong }, async () => 1));
      await store.delete(session.id);
      assert.equal(await messageOf(sessions.authenticate(token)), first);
      assert.equal(await messageOf(sessions.turn(session.id, { token }, async () => 1)), firstTurn);
      assert.equal(firstTurn, first);
    });

    context.case(
      'rotation issues a new token, and the old one fails at once everywhere',
      async () => {
        const { sessions, writer } = await context.place();
        const other = await writer();
        const { session, token } = await sessions.create();
        const rotated = await sessions.rotateToken(session.id);
        assert.notEqual(rotated.token, token);
        await assert.rejects(other.authenticate(token), InvalidTokenError);
        await assert.rejects(
          other.turn(session.id, { token }, async () => 1),
          InvalidTokenError,
        );
        assert.equal((await other.authenticate(rotated.token)).id, session.id);
        await assert.rejects(other.rotateToken(session.id, undefined, token), InvalidTokenError);
        const next = await other.rotateToken(session.id, undefined, rotated.token);
        assert.equal((await sessions.authenticate(next.token)).id, session.id);
        const both = await Promise.allSettled([
          sessions.rotateToken(session.id),
          other.rotateToken(session.id),
        ]);
        for (const result of both) {
          if (result.status === 'rejected')
            assert.ok(result.reason instanceof VersionConflictError);
          else assert.ok(result.value.token.length > 40);
        }
        assert.ok(both.some(({ status }) => status === 'fulfilled'));
      },
    );

    context.case(
      'credentials are copied, and replaced only where they are as expected',
      async () => {
        const { store } = await context.place();
        const credentials = { tokenHash: 'one', authenticatedAt: 1, clientBinding: { a: [1] } };
        await store.create('s', {}, { credentials });
        credentials.tokenHash = 'changed by its owner';
        credentials.clientBinding.a.push(2);
        const read = await store.getWithCredentials('s');
        assert.deepEqual(read?.credentials, {
          tokenHash: 'one',
          authenticatedAt: 1,
          clientBinding: { a: [1] },
        });
        assert.throws(() => Object.assign(read?.credentials ?? {}, { tokenHash: 'x' }), TypeError);
        const next = { tokenHash: 'two', authenticatedAt: 2, clientBinding: null };
        const replace = (ifTokenHash: string, nonce?: string) =>
          store.setCredentials('s', next, { ifTokenHash, nonce });
        await assert.rejects(replace('not one'), VersionConflictError);
        const replaced = await replace('one', 'n');
        assert.deepEqual(await replace('one', 'n'), replaced, 'repeated, not refused');
        assert.equal((await store.getWithCredentials('s'))?.credentials.tokenHash, 'two');
      },
    );

    context.case('what happens to tokens and sessions is told', async () => {
      const { sessions } = await context.place();
      const seen: unknown[] = [];
      sessions.on('tokenRotated', (event) => seen.push(event));
      sessions.on('revoked', (event) => seen.push(event));
      const { session } = await sessions.create({ userId: 'u' });
      await sessions.rotateToken(session.id);
      await sessions.revoke(session.id);
      await sessions.revoke(session.id);
      await sessions.create({ userId: 'u' });
      await sessions.revokeUser('u');
      await sessions.revokeAll();
      await context.until(() => seen.length >= 3);
      assert.deepEqual(seen, [
        { sessionId: session.id },
        { count: 1, userId: null },
        { count: 1, userId: 'u' },
      ]);
    });

    context.case('an expired session does not count toward the user’s cap', async () => {
      const { store } = await context.place({ maxPerUser: 1, maxPerUserPolicy: 'reject' });
      await store.create('old', { userId: 'u' });
      await context.clock.advance(context.idleMs);
      assert.equal((await store.create('new', { userId: 'u' })).userId, 'u');
    });

    context.case('a sensitive change asks for a fresh authentication', async () => {
      const { sessions, store } = await context.place();
      const { session } = await sessions.create();
      await sessions.requireFresh(session.id, context.unitMs / 1000);
      await context.clock.advance(context.unitMs * 5);
      await assert.rejects(
        sessions.requireFresh(session.id, (context.unitMs * 4) / 1000),
        StepUpRequiredError,
      );
      await sessions.rotateToken(session.id);
      await sessions.requireFresh(session.id, (context.unitMs * 4) / 1000);
      await store.create('never-authenticated');
      await assert.rejects(sessions.requireFresh('never-authenticated', 1e6), StepUpRequiredError);
      await assert.rejects(sessions.requireFresh('none', 1), SessionNotFoundError);
    });

    context.case(
      'sessions are ended one by one, the user’s others, the user’s, and all',
      async () => {
        const { sessions, store } = await context.place();
        for (const id of ['a1', 'a2', 'a3']) await store.create(id, { userId: 'ann' });
        for (const id of ['b1', 'b2']) await store.create(id, { userId: 'bob' });
        await store.create('x');
        assert.equal(await sessions.revoke('a1'), true);
        assert.equal(await sessions.revoke('a1'), false);
        await store.create('a4', { userId: 'ann' });
        assert.equal(await sessions.revokeOthers('a2'), 2);
        assert.equal(await store.exists('a2'), true);
        assert.equal(await sessions.revokeOthers('x'), 0);
        assert.equal(await sessions.revokeUser('bob'), 2);
        assert.equal(await sessions.revokeUser('bob'), 0);
        assert.equal(await sessions.revokeAll(), 2);
        assert.equal(await store.countActive(), 0);
      },
    );

    context.case('of 50 parallel creations a user keeps no more than the cap', async () => {
      const { store, writer } = await context.place({ maxPerUser: 3 });
      const other = (await writer()).store;
      await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          (index % 2 === 0 ? store : other).create(`s${index}`, { userId: 'u' }),
        ),
      );
      const page = await store.listActive({ userId: 'u' });
      assert.equal(page.sessions.length, 3);
      assert.equal(await store.countActive(), 3);
    });

    context.case('what a batch has too many of for the user is evicted, and told so', async () => {
      const { store } = await context.place({ maxPerUser: 2 });
      const seen: string[] = [];
      for (const name of ['created', 'evicted', 'deleted'] as const) {
        store.on(name, ({ userId }) => seen.push(`${name} ${userId}`));
      }
      const ids = Array.from({ length: 6 }, (_, index) => `s${index}`);
      const results = await store.setBatch(ids.map((id) => ({ id, data: { userId: 'u' } })));
      assert.deepEqual(
        results.map((result) => ('session' in result ? result.session.id : result.error)),
        ids,
      );
      assert.equal((await store.listActive({ userId: 'u' })).sessions.length, 2);
      await context.until(() => seen.length >= 10);
      assert.deepEqual(seen.sort(), [...Array(6).fill('created u'), ...Array(4).fill('evicted u')]);
    });

    context.case(
      'at the user’s cap the oldest goes, or by setting the new one is refused',
      async () => {
        const evicting = await context.place({ maxPerUser: 2 });
        for (const id of ['a', 'b', 'c']) await evicting.store.create(id, { userId: 'u' });
        assert.deepEqual(
          (await evicting.store.listActive({ userId: 'u' })).sessions.map(({ id }) => id),
          ['b', 'c'],
        );
        const refusing = await context.place({ maxPerUser: 2, maxPerUserPolicy: 'reject' });
        for (const id of ['a', 'b']) await refusing.store.create(id, { userId: 'u' });
        await assert.rejects(refusing.store.create('c', { userId: 'u' }), SessionLimitError);
        await refusing.store.create('d', { userId: 'other' });
        await refusing.store.create('e');
        await assert.rejects(refusing.store.update('e', { userId: 'u' }), SessionLimitError);
        assert.equal((await refusing.store.get('e'))?.userId, null);
        await refusing.store.delete('a');
        assert.equal((await refusing.store.update('e', { userId: 'u' })).userId, 'u');
      },
    );

    const byAgent: ClientBinding = {
      capture: ({ userAgent }) => userAgent ?? null,
      differences: (bound, { userAgent }) => (bound === userAgent ? [] : ['browser']),
    };

    context.case('a client that does not match is reported, and told to the turn', async () => {
      const { sessions } = await context.place({}, { clientBinding: byAgent });
      const { session, token } = await sessions.create({ client: { userAgent: 'A' } });
      const seen: unknown[] = [];
      sessions.on('fingerprintMismatch', (event) => seen.push(event));
      const changes = (userAgent: string) =>
        sessions.turn(session.id, { client: { userAgent } }, async (turn) => turn.clientChanges);
      assert.deepEqual(await changes('A'), []);
      assert.deepEqual(await changes('B'), ['browser']);
      assert.equal((await sessions.authenticate(token, { userAgent: 'B' })).id, session.id);
      await context.until(() => seen.length >= 2);
      const event = { sessionId: session.id, differing: ['browser'], refused: false };
      assert.deepEqual(seen, [event, event]);
    });

    context.case('strictly bound, it is refused, and nothing changes', async () => {
      const { sessions, store } = await context.place(
        {},
        { clientBinding: byAgent, strictClientBinding: true },
      );
      const { session, token } = await sessions.create({ client: { userAgent: 'A' } });
      const client = { userAgent: 'B' };
      const keyed = { idempotencyKey: 'k' };
      const own = { userAgent: 'A' };
      await sessions.turn(session.id, { client: own, ...keyed }, async () => 'secret');
      const before = await store.get(session.id);
      // As much later as shows whether a refusal counts as activity.
      await context.clock.advance(context.unitMs);
      let ran = false;
      for (const options of [{ client }, { client, ...keyed }]) {
        const refused = sessions.turn(session.id, options, async () => {
          ran = true;
        });
        await assert.rejects(refused, FingerprintMismatchError);
        const { events, result } = sessions.startTurn(session.id, options, async () => {
          ran = true;
        });
        result.catch(() => {}); // it is asked for below, when the events have failed
        await assert.rejects(events[Symbol.asyncIterator]().next(), FingerprintMismatchError);
        await assert.rejects(result, FingerprintMismatchError);
      }
      await assert.rejects(sessions.authenticate(token, client), FingerprintMismatchError);
      await assert.rejects(
        sessions.getOrCreate({ sessionId: session.id, client }),
        FingerprintMismatchError,
      );
      assert.equal(ran, false);
      assert.deepEqual(await store.get(session.id), before);
      assert.deepEqual(await store.messages(session.id), []);
      assert.equal((await store.getStats()).activeLeases, 0);
      assert.equal(await sessions.turn(session.id, { client: own }, async () => 'same'), 'same');
    });

    context.case('strictly bound, who is refused interrupts nobody', async () => {
      const { sessions } = await context.place(
        {},
        { clientBinding: byAgent, strictClientBinding: true },
      );
      const [own, client] = [{ userAgent: 'A' }, { userAgent: 'B' }];
      const { session, token } = await sessions.create({ userId: 'u', client: own });
      const interrupt = { onBusy: 'interrupt', token, userId: 'u' } as const;
      const [inside, refused] = [new Gate(), new Gate()];
      const mine = sessions.turn(session.id, { client: own }, async (turn) => {
        inside.open();
        await refused.promise;
        return turn.signal.aborted ? 'interrupted' : 'mine';
      });
      await inside.promise;
      await assert.rejects(
        sessions.turn(session.id, { ...interrupt, client }, async () => 'not his'),
        FingerprintMismatchError,
      );
      refused.open();
      assert.equal(await mine, 'mine');
      assert.equal(
        await sessions.turn(session.id, { ...interrupt, client: own }, async () => 'his own'),
        'his own',
      );
    });
  });
}
