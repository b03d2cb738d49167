import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import {
  LeaseLostError,
  SessionBusyError,
  SessionGoneError,
  SessionNotFoundError,
  TurnTimeoutError,
  ValidationError,
} from '../../errors/errors.ts';
import { SessionManager } from '../../manager/session-manager.ts';
import type { Turn } from '../../manager/turn.ts';
import { Faults, withFaults } from '../faults.ts';
import { Gate, type SuiteContext } from './suite-context.ts';

/** The turn itself: all or nothing, checkpoints, limits, and what its object does. */
export function turnCases(context: SuiteContext): void {
  context.group('turns', () => {
    context.case(
      'a turn’s changes are invisible before its commit, and all there after',
      async () => {
        const { sessions, store, writer } = await context.place();
        const reader = (await writer()).store;
        const before = await store.create('s', { metadata: { a: 1 } });
        const inside = new Gate();
        const goOn = new Gate();
        const turn = sessions.turn('s', async (turn) => {
          turn.append({ role: 'user', content: 'hello' });
          turn.append({ role: 'assistant', content: { text: 'hi' } });
          turn.update({ escalated: true, metadata: { a: null, b: 2 } });
          assert.equal(turn.increment('messageCount'), 1);
          assert.equal(turn.increment('other', -4), -4);
          inside.open();
          await goOn.promise;
          return { ok: true };
        });
        await inside.promise;
        assert.deepEqual(await reader.get('s', { fresh: true }), before);
        assert.deepEqual(await reader.messages('s'), []);
        goOn.open();
        assert.deepEqual(await turn, { ok: true });
        const session = await reader.get('s', { fresh: true });
        assert.equal(session?.escalated, true);
        assert.equal(session?.messageCount, 1);
        assert.deepEqual(session?.counters, { messageCount: 1, other: -4 });
        assert.deepEqual(session?.metadata, { b: 2 });
        assert.equal(session?.version, 2, 'one write');
        assert.deepEqual(
          (await reader.messages('s')).map(({ seq, role, content }) => ({ seq, role, content })),
          [
            { seq: 1, role: 'user', content: 'hello' },
            { seq: 2, role: 'assistant', content: { text: 'hi' } },
          ],
        );
      },
    );

    context.case('a turn that throws writes nothing and frees the session at once', async () => {
      const { sessions, store } = await context.place();
      const before = await store.create('s');
      await assert.rejects(
        sessions.turn('s', async (turn) => {
          turn.append({ role: 'user', content: 'x' });
          turn.update({ escalated: true });
          turn.increment('n');
          throw new RangeError('the work failed');
        }),
        new RangeError('the work failed'),
      );
      assert.deepEqual(await store.get('s'), before);
      assert.deepEqual(await store.messages('s'), []);
      assert.equal(await sessions.turn('s', { onBusy: 'reject' }, async () => 'free'), 'free');
    });

    context.case('after a checkpoint, a turn that throws keeps what was checkpointed', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      await assert.rejects(
        sessions.turn('s', async (turn) => {
          turn.append({ role: 'user', content: 'kept' });
          turn.increment('n');
          await turn.checkpoint();
          turn.append({ role: 'assistant', content: 'lost' });
          turn.increment('n');
          turn.update({ escalated: true });
          throw new Error('later');
        }),
        /later/,
      );
      const session = await store.get('s');
      assert.equal(session?.counters.n, 1);
      assert.equal(session?.escalated, false);
      assert.deepEqual(
        (await store.messages('s')).map(({ content }) => content),
        ['kept'],
      );
    });

    context.case('a checkpoint is visible to others, and keeps the lease', async () => {
      const { sessions, store, writer } = await context.place();
      const reader = (await writer()).store;
      await store.create('s');
      await sessions.turn('s', async (turn) => {
        turn.append({ role: 'user', content: 'a' });
        await turn.checkpoint();
        assert.equal((await reader.messages('s')).length, 1);
        await assert.rejects(
          context.beginByHand(reader, 's', { onBusy: 'reject' }),
          SessionBusyError,
        );
        turn.append({ role: 'assistant', content: 'b' });
        assert.deepEqual(
          (await turn.messages()).map(({ seq }) => seq),
          [1, 2],
        );
        await Promise.all([turn.checkpoint(), turn.checkpoint()]);
        turn.append({ role: 'assistant', content: 'c' });
      });
      assert.deepEqual(
        (await store.messages('s')).map(({ content }) => content),
        ['a', 'b', 'c'],
      );
    });

    context.case('turn.session stands still, turn.current has the turn’s own changes', async () => {
      const { sessions, store } = await context.place();
      const before = await store.create('s', { metadata: { plan: 'free', seen: 1 } });
      await sessions.turn('s', async (turn) => {
        assert.deepEqual(turn.current, before);
        turn.update({ metadata: { plan: 'pro' }, status: 'handed_over' });
        turn.increment('messageCount', 2);
        assert.deepEqual(turn.session, before);
        assert.deepEqual(turn.current.metadata, { plan: 'pro', seen: 1 });
        assert.equal(turn.current.status, 'handed_over');
        assert.equal(turn.current.messageCount, 2);
        assert.ok(Object.isFrozen(turn.current) && Object.isFrozen(turn.current.metadata));
      });
    });

    context.case('patches of one turn apply in their order', async () => {
      const { sessions, store } = await context.place();
      await store.create('s', { metadata: { a: { old: 1 } } });
      await sessions.turn('s', async (turn) => {
        turn.update({ metadata: { a: 5 } });
        turn.update({ metadata: { a: { new: 2 } } });
        turn.update({ metadata: { b: 1 } });
        turn.update({ metadata: { b: null } });
      });
      assert.deepEqual((await store.get('s'))?.metadata, { a: { new: 2 } });
    });

    context.case('turn.messages pages through history and own appends, newest last', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      await store.appendMessages(
        's',
        Array.from({ length: 10 }, (_, index) => ({ role: 'user', content: index + 1 })),
      );
      await sessions.turn('s', async (turn) => {
        turn.append({ role: 'assistant', content: 11 });
        turn.append({ role: 'assistant', content: 12 });
        const contents = async (options: { limit?: number; before?: number }) =>
          (await turn.messages(options)).map(({ content }) => content);
        assert.deepEqual(await contents({ limit: 4 }), [9, 10, 11, 12]);
        assert.deepEqual(await contents({ limit: 2 }), [11, 12]);
        assert.deepEqual(await contents({ limit: 1 }), [12]);
        assert.deepEqual(await contents({ limit: 0 }), []);
        assert.deepEqual(await contents({ limit: 3, before: 12 }), [9, 10, 11]);
        assert.deepEqual(await contents({ limit: 3, before: 5 }), [2, 3, 4]);
        assert.equal((await contents({})).length, 12);
      });
    });

    context.case('a turn inside a turn on the same session is refused at once', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      await store.create('other');
      await sessions.turn('s', async () => {
        await assert.rejects(
          sessions.turn('s', async () => 1),
          SessionBusyError,
        );
        assert.equal(
          await sessions.turn('other', async () => {
            await assert.rejects(
              sessions.turn('s', async () => 1),
              SessionBusyError,
            );
            return 'fine';
          }),
          'fine',
        );
      });
    });

    context.case('work left behind by a turn may begin another when it has ended', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const goOn = new Gate();
      let later: Promise<string> | undefined;
      await sessions.turn('s', async () => {
        later = goOn.promise.then(() => sessions.turn('s', async () => 'later'));
      });
      goOn.open();
      assert.equal(await later, 'later');
    });

    context.case('work that a turn left running cannot add to it once it returned', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      let left: Promise<void> | undefined;
      await sessions.turn('s', async (turn) => {
        left = Promise.resolve().then(async () => {
          for (let step = 0; step < 50; step += 1) {
            turn.append({ role: 'assistant', content: step });
            await Promise.resolve();
          }
        });
        void left.catch(() => {});
      });
      await assert.rejects(left ?? Promise.resolve(), ValidationError);
      const stored = (await store.messages('s')).map(({ content }) => content);
      const added = stored.length;
      assert.deepEqual(
        stored,
        Array.from({ length: added }, (_, step) => step),
        'no gap',
      );
      assert.ok(added < 50);
    });

    context.case('a checkpoint that nobody waited for is in the turn’s commit', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      await sessions.turn('s', async (turn) => {
        turn.append({ role: 'user', content: 'a' });
        void turn.checkpoint();
        turn.append({ role: 'user', content: 'b' });
        void turn.checkpoint();
        turn.append({ role: 'user', content: 'c' });
      });
      assert.deepEqual(
        (await store.messages('s')).map(({ content }) => content),
        ['a', 'b', 'c'],
      );
    });

    context.case('a signal that aborts as the wait ends leaves no lease behind', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const { lease } = await context.beginByHand(store, 's', { leaseMs: context.leaseMs * 50 });
      const controller = new AbortController();
      let ran = false;
      const turn = sessions.turn('s', { signal: controller.signal }, async () => {
        ran = true;
      });
      turn.catch(() => {});
      await context.until(async () => (await store.getStats()).waiters === 1);
      const released = store.release(lease);
      controller.abort(new Error('left'));
      await released;
      await assert.rejects(turn, /left/);
      assert.equal(ran, false);
      assert.equal(await sessions.turn('s', { onBusy: 'reject' }, async () => 'free'), 'free');
    });

    context.case('a finished turn’s object throws', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const kept: Turn[] = [];
      await sessions.turn('s', async (turn) => {
        kept.push(turn);
      });
      await assert.rejects(
        sessions.turn('s', async (turn) => {
          kept.push(turn);
          throw new Error('x');
        }),
      );
      for (const turn of kept) {
        assert.throws(() => turn.append({ role: 'user', content: 'x' }), ValidationError);
        assert.throws(() => turn.update({ escalated: true }), ValidationError);
        assert.throws(() => turn.increment('n'), ValidationError);
        assert.throws(() => turn.emit({ type: 'text' }), ValidationError);
        assert.throws(() => turn.current, ValidationError);
        await assert.rejects(turn.messages(), ValidationError);
        await assert.rejects(turn.checkpoint(), ValidationError);
      }
      assert.deepEqual(await store.messages('s'), []);
    });

    context.case(
      'a turn that returns a stream or a Response is refused and writes nothing',
      async () => {
        const { sessions, store } = await context.place();
        await store.create('s');
        const results = [
          new Response('x'),
          new ReadableStream(),
          Readable.from(['x']),
          (async function* () {})(),
        ];
        for (const result of results) {
          await assert.rejects(
            sessions.turn('s', async (turn) => {
              turn.append({ role: 'user', content: 'x' });
              return result;
            }),
            ValidationError,
          );
        }
        assert.deepEqual(await store.messages('s'), []);
      },
    );

    context.case('a turn over its maximum is stopped, and frees the session', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const inside = new Gate();
      let running: Turn | undefined;
      const maxSeconds = (context.leaseMs * 1.5) / 1000;
      const turn = sessions.turn('s', { maxSeconds }, async (turn) => {
        running = turn;
        void turn.signal;
        turn.append({ role: 'user', content: 'x' });
        inside.open();
        await new Promise(() => {});
      });
      turn.catch(() => {});
      await inside.promise;
      await context.clock.advance(context.leaseMs * 1.2);
      assert.equal(running?.signal.aborted, false);
      await context.clock.advance(context.leaseMs * 0.5);
      await assert.rejects(turn, TurnTimeoutError);
      assert.ok(running?.signal.reason instanceof TurnTimeoutError);
      assert.throws(() => running?.append({ role: 'user', content: 'y' }), TurnTimeoutError);
      assert.equal(await sessions.turn('s', { onBusy: 'reject' }, async () => 'free'), 'free');
      assert.deepEqual(await store.messages('s'), []);
    });

    context.case('the caller’s signal stops a turn, which then writes nothing', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const controller = new AbortController();
      const inside = new Gate();
      const turn = sessions.turn('s', { signal: controller.signal }, async (turn) => {
        turn.append({ role: 'user', content: 'x' });
        inside.open();
        await new Promise((_, reject) => {
          turn.signal.addEventListener('abort', () => reject(turn.signal.reason));
        });
      });
      await inside.promise;
      controller.abort(new Error('stop it'));
      await assert.rejects(turn, /stop it/);
      assert.deepEqual(await store.messages('s'), []);
      assert.equal(await sessions.turn('s', { onBusy: 'reject' }, async () => 'free'), 'free');
    });

    context.case('a turn whose session is gone cannot touch the new one of its id', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const inside = new Gate();
      const goOn = new Gate();
      const turn = sessions.turn('s', async (turn) => {
        turn.append({ role: 'user', content: 'x' });
        void turn.signal;
        inside.open();
        await goOn.promise;
      });
      turn.catch(() => {});
      await inside.promise;
      await store.delete('s');
      await store.create('s');
      const other = await context.beginByHand(store, 's');
      goOn.open();
      await assert.rejects(turn, SessionGoneError);
      assert.deepEqual(await store.messages('s'), []);
      assert.equal(await store.release(other.lease), true, 'nobody released it');
    });

    context.case('turns on a missing and on a closed session are refused', async () => {
      const { sessions, store } = await context.place();
      await store.create('s', { status: 'closed' });
      await assert.rejects(
        sessions.turn('none', async () => 1),
        SessionNotFoundError,
      );
      await assert.rejects(
        sessions.turn('s', async () => 1),
        SessionGoneError,
      );
      assert.equal((await sessions.getOrCreate({ sessionId: 's' })).status, 'closed');
      await store.update('s', { status: 'handed_over' });
      assert.equal(await sessions.turn('s', async (turn) => turn.session.status), 'handed_over');
    });

    context.case(
      '100 turns over 20 sessions by three writers keep every message in order',
      async () => {
        const { sessions, store, writer } = await context.place();
        const writers = [sessions, await writer(), await writer()];
        for (let index = 0; index < 20; index += 1) await store.create(`s${index}`);
        await Promise.all(
          Array.from({ length: 100 }, (_, index) =>
            writers[index % 3]?.turn(`s${index % 20}`, async (turn) => {
              turn.append({ role: 'user', content: `question ${index}` });
              await turn.checkpoint();
              turn.append({ role: 'assistant', content: `answer ${index}` });
              turn.increment('messageCount');
            }),
          ),
        );
        for (let index = 0; index < 20; index += 1) {
          const messages = await store.messages(`s${index}`);
          assert.equal(messages.length, 10);
          assert.deepEqual(
            messages.map(({ seq }) => seq),
            [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
          );
          for (let pair = 0; pair < 10; pair += 2) {
            const question = String(messages[pair]?.content);
            assert.equal(messages[pair + 1]?.content, question.replace('question', 'answer'));
          }
          assert.equal((await store.get(`s${index}`, { fresh: true }))?.messageCount, 5);
        }
      },
    );

    context.case('what became of turns is counted and timed', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const before = (await store.getStats()).turns;
      await sessions.turn('s', (turn) => turn.checkpoint());
      for (let call = 0; call < 2; call += 1) {
        await sessions.turn('s', { idempotencyKey: 'once' }, () => 1);
      }
      await assert.rejects(sessions.turn('s', () => Promise.reject(new Error('mine'))));
      await assert.rejects(
        sessions.turn('none', () => 1),
        SessionNotFoundError,
      );
      const { turns } = await store.getStats();
      assert.equal(turns.begun - before.begun, 3);
      assert.equal(turns.replayed - before.replayed, 1);
      assert.equal(turns.commits - before.commits, 3);
      assert.equal(turns.waitMs.count - before.waitMs.count, 3);
      assert.equal(turns.commitMs.count - before.commitMs.count, 3);
      assert.ok(turns.commitMs.p50 > 0 && turns.commitMs.p99 <= turns.commitMs.max);
      assert.deepEqual(turns.refusals, { SESSION_NOT_FOUND: 1 });
    });

    context.case('a turn whose lease cannot be renewed stops before the lease’s end', async () => {
      const { store } = await context.place();
      await store.create('s');
      // A partition, as the holder sees it: no renewal gets through.
      const faults = new Faults();
      faults.fail('renew', { times: Number.POSITIVE_INFINITY });
      const { leaseMs, clock } = context;
      const cut = new SessionManager({ store: withFaults(store, faults), leaseMs, clock });
      const inside = new Gate();
      let abortedAt = Number.POSITIVE_INFINITY;
      const beganAt = clock.monotonic();
      const turn = cut.turn('s', async (turn) => {
        turn.signal.addEventListener('abort', () => {
          abortedAt = clock.monotonic();
        });
        inside.open();
        await new Promise(() => {});
      });
      turn.catch(() => {});
      await inside.promise;
      await clock.advance(leaseMs * 1.1);
      await assert.rejects(turn, LeaseLostError);
      assert.ok(abortedAt < beganAt + leaseMs, 'before the lease can have ended');
    });
  });
}
