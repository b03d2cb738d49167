import assert from 'node:assert/strict';
import { SessionGoneError, SessionNotFoundError } from '../../errors/errors.ts';
import { Gate, type SuiteContext } from './suite-context.ts';

/** Law 7: expiry is exact to the caller, idle and absolute both. */
export function expiryCases(context: SuiteContext): void {
  const { idleMs, leaseMs, unitMs, clock } = context;

  context.group('expiry', () => {
    context.case('law 7: the idle timeout is exact to the millisecond', async () => {
      const { store } = await context.place();
      const { expiresAt } = await store.create('s', { userId: 'u' });
      await clock.advance(expiresAt - 1 - clock.now());
      assert.equal((await store.get('s'))?.expiresAt, expiresAt);
      assert.equal((await store.listActive()).sessions.length, 1);
      await clock.advance(1);
      assert.equal(await store.get('s'), null);
      assert.equal(await store.exists('s'), false);
      assert.equal((await store.getBatch(['s'])).size, 0);
      assert.equal((await store.listActive()).sessions.length, 0);
      assert.equal((await store.listActive({ userId: 'u' })).sessions.length, 0);
      assert.equal(await store.countActive(), 0);
      assert.equal(await store.touch('s'), false);
      await clock.advance(1);
      assert.equal(await store.get('s'), null);
    });

    context.case(
      'law 7: to writes an expired session is none, and none brings it back',
      async () => {
        const { sessions, store } = await context.place();
        await store.create('s', { userId: 'u' });
        await clock.advance(idleMs);
        const credentials = { tokenHash: 'x', authenticatedAt: null, clientBinding: null };
        const writes: Record<string, () => Promise<unknown>> = {
          update: () => store.update('s', { escalated: true }),
          set: () => store.set('s', {}, { ifVersion: 1 }),
          increment: () => store.incrementCounter('s', 'n'),
          append: () => store.appendMessages('s', [{ role: 'user', content: 'x' }]),
          credentials: () => store.setCredentials('s', credentials),
          messages: () => store.messages('s'),
          turn: () => sessions.turn('s', async () => 1),
        };
        for (const [name, write] of Object.entries(writes)) {
          await assert.rejects(write, SessionNotFoundError, name);
        }
        assert.equal(await store.touch('s'), false);
        assert.equal(await store.delete('s'), false);
        assert.equal(await store.deleteBatch(['s']), 0);
        assert.equal(await store.deleteUser('u'), 0);
        assert.equal(await store.get('s', { fresh: true }), null);
      },
    );

    context.case('law 7: writes, turns and touches are activity; reads are not', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const acts: readonly (() => Promise<unknown>)[] = [
        () => store.update('s', { escalated: true }),
        () => store.incrementCounter('s', 'n'),
        () => store.appendMessages('s', [{ role: 'user', content: 'x' }]),
        () => store.touch('s'),
        () => sessions.turn('s', async () => {}),
      ];
      for (const act of acts) {
        await clock.advance(unitMs * 10);
        const before = clock.now();
        await act();
        const session = await store.get('s');
        assert.ok((session?.lastActivity ?? 0) >= before);
        assert.equal(session?.expiresAt, (session?.lastActivity ?? 0) + idleMs);
      }
      const before = await store.get('s');
      await clock.advance(unitMs * 10);
      await store.exists('s');
      await store.messages('s');
      await store.listActive();
      await sessions.getOrCreate({ sessionId: 's' });
      await assert.rejects(
        sessions.turn('s', async () => {
          throw new Error('x');
        }),
      );
      assert.deepEqual(await store.get('s'), before);
    });

    context.case('a touch makes no new version', async () => {
      const { store } = await context.place();
      await store.create('s');
      await clock.advance(unitMs);
      assert.equal(await store.touch('s'), true);
      assert.equal((await store.get('s'))?.version, 1);
    });

    context.case('law 7: the absolute timeout does not move with activity', async () => {
      const { store } = await context.place({ absoluteTimeoutMs: idleMs * 2 });
      const { createdAt } = await store.create('s');
      const end = createdAt + idleMs * 2;
      for (let step = 0; step < 3; step += 1) {
        await clock.advance(idleMs / 2);
        await store.touch('s');
      }
      assert.equal((await store.get('s'))?.expiresAt, end);
      await clock.advance(end - 1 - clock.now());
      assert.equal(await store.exists('s'), true);
      await clock.advance(1);
      assert.equal(await store.exists('s'), false);
    });

    context.case('law 7: a running turn holds off idle expiry', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const inside = new Gate();
      const goOn = new Gate();
      const turn = sessions.turn('s', async (turn) => {
        inside.open();
        await goOn.promise;
        turn.increment('n');
      });
      await inside.promise;
      for (let passed = 0; passed < idleMs * 2; passed += leaseMs / 2) {
        await clock.advance(leaseMs / 2);
        assert.equal(await store.exists('s'), true);
      }
      goOn.open();
      await turn;
      const session = await store.get('s');
      assert.equal(session?.counters.n, 1);
      assert.equal(session?.expiresAt, (session?.lastActivity ?? 0) + idleMs);
    });

    context.case('law 7: a turn that fails leaves the idle timeout where it was', async () => {
      const { sessions, store } = await context.place();
      const { expiresAt } = await store.create('s');
      await clock.advance(idleMs - leaseMs / 2);
      const failing = sessions.turn('s', async () => {
        throw new Error('planned');
      });
      await assert.rejects(failing, /planned/);
      assert.equal((await store.get('s'))?.expiresAt, expiresAt);
    });

    context.case('law 7: a lease renewed for less time holds it off for less', async () => {
      const { store } = await context.place();
      const { expiresAt: idleEnd } = await store.create('s');
      const { lease } = await context.beginByHand(store, 's', { leaseMs: idleMs * 3 });
      const { expiresAt } = await store.renew(lease, idleMs * 2);
      assert.equal((await store.get('s', { fresh: true }))?.expiresAt, expiresAt);
      await store.renew(lease, leaseMs);
      assert.equal((await store.get('s', { fresh: true }))?.expiresAt, idleEnd);
    });

    context.case(
      'law 7: a commit’s idle timeout is counted from it, however long its lease was',
      async () => {
        const { store } = await context.place();
        await store.create('s');
        const { lease } = await context.beginByHand(store, 's', { leaseMs: idleMs * 3 });
        const end = { keep: false, outcome: undefined } as const;
        const { session } = await store.commit(lease, { nonce: crypto.randomUUID() }, end);
        assert.equal(session.expiresAt, session.lastActivity + idleMs);
        assert.deepEqual(await store.get('s'), session);
      },
    );

    context.case('law 7: a dead turn holds it off no longer than its lease', async () => {
      const { store } = await context.place();
      await store.create('s');
      await clock.advance(idleMs - unitMs);
      const { lease } = await context.beginByHand(store, 's');
      await clock.advance(lease.expiresAt - 1 - clock.now());
      assert.equal(await store.exists('s'), true);
      await clock.advance(1);
      assert.equal(await store.exists('s'), false);
    });

    context.case(
      'law 7: law 5: a turn cannot outlive the absolute timeout, nor write behind it',
      async () => {
        const { sessions, store } = await context.place({ absoluteTimeoutMs: idleMs });
        await store.create('s');
        await clock.advance(idleMs - leaseMs);
        const inside = new Gate();
        const goOn = new Gate();
        const turn = sessions.turn('s', async (turn) => {
          turn.append({ role: 'user', content: 'x' });
          inside.open();
          await goOn.promise;
        });
        turn.catch(() => {});
        await inside.promise;
        await clock.advance(leaseMs);
        assert.equal(await store.get('s'), null);
        await store.create('s', { metadata: { fresh: true } });
        goOn.open();
        await assert.rejects(turn, SessionGoneError);
        assert.deepEqual(await store.messages('s'), []);
        assert.equal((await store.get('s'))?.version, 1);
      },
    );

    context.case(
      'an expired session’s id can be taken anew, with nothing of the old one',
      async () => {
        const { store } = await context.place();
        await store.create('s', { userId: 'a', counters: { n: 5 } });
        await store.appendMessages('s', [{ role: 'user', content: 'old' }]);
        await clock.advance(idleMs);
        const session = await store.create('s', { userId: 'b' });
        assert.equal(session.version, 1);
        assert.deepEqual(session.counters, {});
        assert.deepEqual(await store.messages('s'), []);
        assert.equal((await store.listActive({ userId: 'a' })).sessions.length, 0);
      },
    );

    context.case('cleanup removes what has expired, says how many, and nothing else', async () => {
      const { store } = await context.place();
      for (let index = 0; index < 10; index += 1) await store.create(`old${index}`);
      await clock.advance(idleMs - unitMs);
      for (let index = 0; index < 5; index += 1) await store.create(`new${index}`);
      await store.touch('old0');
      const before = await store.cleanupExpired();
      assert.equal(before, 0);
      await clock.advance(unitMs);
      assert.equal(await store.cleanupExpired(), 9);
      assert.equal(await store.cleanupExpired(), 0);
      assert.equal(await store.countActive(), 6);
    });
  });
}
