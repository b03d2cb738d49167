import assert from 'node:assert/strict';
import { SessionGoneError, VersionConflictError } from '../../errors/errors.ts';
import { prepareOutput } from '../../model/turn-event.ts';
import { Gate, type SuiteContext } from './suite-context.ts';

const begin = { leaseMs: 30_000, onBusy: 'wait', waitMs: 0 } as const;

/** `SESSION_LOCKING_ENABLED=false`: no queue, no lease, commit by compare-and-set. */
export function unlockedCases(context: SuiteContext): void {
  context.group('without locking', () => {
    context.case('of two turns that race one commits, and the other learns of it', async () => {
      const { sessions, store, writer } = await context.place({ locking: false });
      const other = await writer();
      await store.create('s');
      const both = new Gate();
      let inside = 0;
      const race = (from: typeof sessions) =>
        from.turn('s', async (turn) => {
          inside += 1;
          if (inside === 2) both.open();
          await both.promise;
          turn.increment('n');
        });
      const results = await Promise.allSettled([race(sessions), race(other)]);
      assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
      for (const result of results) {
        if (result.status === 'rejected') assert.ok(result.reason instanceof VersionConflictError);
      }
      assert.equal((await store.get('s', { fresh: true }))?.counters.n, 1);
    });

    context.case('checkpoints go on from the version that they made', async () => {
      const { sessions, store } = await context.place({ locking: false });
      await store.create('s');
      await sessions.turn('s', async (turn) => {
        turn.append({ role: 'user', content: 'a' });
        await turn.checkpoint();
        turn.append({ role: 'assistant', content: 'b' });
      });
      assert.equal((await store.messages('s')).length, 2);
      await assert.rejects(
        sessions.turn('s', async (turn) => {
          await store.incrementCounter('s', 'n');
          turn.append({ role: 'user', content: 'c' });
        }),
        VersionConflictError,
      );
      assert.equal((await store.messages('s')).length, 2);
      assert.equal((await store.getStats()).lockingEnabled, false);
    });

    context.case('a keyed turn still runs once, and live output still ends', async () => {
      const { sessions, store } = await context.place({ locking: false });
      await store.create('s');
      let runs = 0;
      const ask = () =>
        sessions.startTurn('s', { idempotencyKey: 'k' }, async (turn) => {
          runs += 1;
          turn.emit({ type: 'text', text: 'x' });
          return 'once';
        });
      const first = ask();
      const types: string[] = [];
      for await (const { type } of first.events) types.push(type);
      assert.deepEqual(types, ['turn.started', 'text', 'turn.completed']);
      assert.equal(await first.result, 'once');
      assert.equal(await ask().result, 'once');
      assert.equal(runs, 1);
    });

    context.case(
      'output of two turns is there once, though each repeats it in between',
      async () => {
        const { store } = await context.place({ locking: false });
        await store.create('s');
        const begun = async () => {
          const grant = await store.begin('s', { ...begin, nonce: crypto.randomUUID() });
          assert.ok(grant.kind === 'granted');
          return grant.lease;
        };
        const [one, other] = [await begun(), await begun()];
        for (const nonce of ['first', 'second']) {
          for (const _ of ['once', 'again']) {
            await store.emit(one, [prepareOutput({ type: `one ${nonce}` })], `one-${nonce}`);
            await store.emit(other, [prepareOutput({ type: `other ${nonce}` })], `other-${nonce}`);
          }
        }
        await store.emit(one, [prepareOutput({ type: 'last' })], 'last');
        const types: string[] = [];
        for await (const { type } of store.subscribe('s', { after: 0 })) {
          types.push(type);
          if (type === 'last') break;
        }
        const expected = ['one first', 'other first', 'one second', 'other second', 'last'];
        assert.deepEqual(types, expected);
      },
    );

    context.case('a begin that is repeated under its nonce is one attempt', async () => {
      const { store } = await context.place({ locking: false });
      await store.create('s');
      const keyed = { ...begin, nonce: 'n', idempotency: { key: 'k', requestDigest: 'd' } };
      for (const _ of ['once', 'again']) {
        const grant = await store.begin('s', keyed);
        assert.ok(grant.kind === 'granted');
        assert.equal(grant.attempt, 1);
      }
    });

    context.case('delete wins here too', async () => {
      const { sessions, store } = await context.place({ locking: false });
      await store.create('s');
      await assert.rejects(
        sessions.turn('s', async (turn) => {
          await store.delete('s');
          await store.create('s');
          turn.increment('n');
        }),
        SessionGoneError,
      );
      assert.equal((await store.get('s'))?.version, 1);
    });
  });
}
