import assert from 'node:assert/strict';
import { IdempotencyMismatchError, LeaseLostError, ValidationError } from '../../errors/errors.ts';
import { jsonDigest } from '../../json/json-value.ts';
import { prepareMessage } from '../../model/message.ts';
import type { SessionStore } from '../../store/session-store.ts';
import { Gate, type SuiteContext } from './suite-context.ts';

/** Law 6: a keyed turn runs once, whatever happens to its attempts. */
export function idempotencyCases(context: SuiteContext): void {
  const { leaseMs } = context;

  /** An attempt under the key whose process dies right behind a checkpoint of a user's message. */
  const dieBehindCheckpoint = async (store: SessionStore, key: string, content: string) => {
    const { lease } = await context.beginByHand(store, 's', {
      idempotency: { key, requestDigest: '' },
    });
    await store.commit(
      lease,
      {
        nonce: crypto.randomUUID(),
        messages: [prepareMessage({ role: 'user', content })],
        increments: new Map([['messageCount', 1]]),
        effects: [`a1:${jsonDigest(['user', content])}`, `i1:${jsonDigest(['messageCount', 1])}`],
      },
      { keep: true, leaseMs },
    );
    await context.clock.advance(leaseMs + 1);
    return lease;
  };

  context.group('idempotency', () => {
    context.case(
      'law 6: a turn repeated under its key runs once, and the repeat gets its outcome',
      async () => {
        const { sessions, store, writer } = await context.place();
        const other = await writer();
        await store.create('s');
        let runs = 0;
        const ask = (from: typeof sessions) =>
          from.turn('s', { idempotencyKey: 'k', idempotencyRequest: { q: 1 } }, async (turn) => {
            runs += 1;
            turn.append({ role: 'user', content: 'x' });
            return { answer: [1, { two: 2 }], nothing: null };
          });
        const first = await ask(sessions);
        assert.deepEqual(await ask(other), first);
        assert.deepEqual(await ask(sessions), { answer: [1, { two: 2 }], nothing: null });
        assert.equal(runs, 1);
        assert.equal((await store.messages('s')).length, 1);
        assert.equal((await store.get('s', { fresh: true }))?.version, 2);
      },
    );

    context.case('law 6: a turn that returned nothing is repeated as that', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const options = { idempotencyKey: 'k' };
      assert.equal(await sessions.turn('s', options, async () => {}), undefined);
      assert.equal(await sessions.turn('s', options, async () => 'again'), undefined);
    });

    context.case('law 6: 20 concurrent repeats run once', async () => {
      const { sessions, store, writer } = await context.place();
      const writers = [sessions, await writer(), await writer()];
      await store.create('s');
      let runs = 0;
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          writers[index % 3]?.turn('s', { idempotencyKey: 'k' }, async (turn) => {
            runs += 1;
            turn.increment('n');
            await context.settle();
            return `run ${runs}`;
          }),
        ),
      );
      assert.equal(runs, 1);
      assert.deepEqual(new Set(outcomes), new Set(['run 1']));
      assert.equal((await store.get('s', { fresh: true }))?.counters.n, 1);
    });

    context.case('law 6: a stored outcome is had without waiting for a running turn', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      await sessions.turn('s', { idempotencyKey: 'k' }, async () => 'stored');
      const { lease } = await context.beginByHand(store, 's');
      const repeat = sessions.turn(
        's',
        { idempotencyKey: 'k', onBusy: 'reject' },
        async () => 'no',
      );
      assert.equal(await repeat, 'stored');
      await store.release(lease);
    });

    context.case('law 6: a stored outcome is had when the session is closed', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      await sessions.turn('s', { idempotencyKey: 'k' }, async (turn) => {
        turn.update({ status: 'closed' });
        return 'bye';
      });
      assert.equal(await sessions.turn('s', { idempotencyKey: 'k' }, async () => 'no'), 'bye');
    });

    context.case('law 6: a thrown error is not an outcome', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const attempts: number[] = [];
      const ask = (fails: boolean) =>
        sessions.turn('s', { idempotencyKey: 'k' }, async (turn) => {
          attempts.push(turn.attempt);
          turn.append({ role: 'user', content: 'x' });
          if (fails) throw new Error('the model is down');
          return 'answered';
        });
      await assert.rejects(ask(true), /the model is down/);
      await assert.rejects(ask(true), /the model is down/);
      assert.equal(await ask(false), 'answered');
      assert.deepEqual(attempts, [1, 1, 1], 'nothing was stored, nobody died');
      assert.equal((await store.messages('s')).length, 1);
    });

    context.case(
      'law 6: after an error behind a checkpoint, the repeat stores only what is new',
      async () => {
        const { sessions, store } = await context.place();
        await store.create('s');
        const ask = (fails: boolean) =>
          sessions.turn('s', { idempotencyKey: 'k' }, async (turn) => {
            turn.append({ role: 'user', content: 'question' });
            turn.increment('messageCount');
            await turn.checkpoint();
            if (fails) throw new Error('the model is down');
            turn.append({ role: 'assistant', content: 'answer' });
            return turn.attempt;
          });
        await assert.rejects(ask(true));
        await assert.rejects(ask(true));
        assert.ok((await ask(false)) > 1);
        assert.deepEqual(
          (await store.messages('s')).map(({ content }) => content),
          ['question', 'answer'],
        );
        assert.equal((await store.get('s'))?.messageCount, 1);
      },
    );

    context.case(
      'law 6: after a death behind a checkpoint there is one user message and one answer',
      async () => {
        const { store, writer } = await context.place();
        await store.create('s');
        const dead = await dieBehindCheckpoint(store, 'k', 'question');
        const other = await writer();
        const attempt = await other.turn('s', { idempotencyKey: 'k' }, async (turn) => {
          assert.deepEqual(
            (await turn.messages()).map(({ content }) => content),
            ['question'],
          );
          turn.append({ role: 'user', content: 'question' });
          assert.equal(turn.increment('messageCount'), 1, 'as stored: it was counted already');
          assert.deepEqual(
            (await turn.messages()).map(({ content }) => content),
            ['question'],
          );
          await turn.checkpoint();
          turn.append({ role: 'assistant', content: 'answer' });
          return turn.attempt;
        });
        assert.equal(attempt, 2);
        assert.deepEqual(
          (await store.messages('s')).map(({ content }) => content),
          ['question', 'answer'],
        );
        assert.equal((await store.get('s', { fresh: true }))?.messageCount, 1);
        // The dead attempt's process was only paused, and wakes up.
        await assert.rejects(
          store.commit(
            dead,
            {
              nonce: crypto.randomUUID(),
              messages: [prepareMessage({ role: 'assistant', content: 'another answer' })],
            },
            { keep: false, outcome: 'x' },
          ),
          LeaseLostError,
        );
        assert.equal((await store.messages('s')).length, 2);
      },
    );

    context.case(
      'law 6: a second attempt that says something else adds what is different',
      async () => {
        const { sessions, store } = await context.place();
        await store.create('s');
        await dieBehindCheckpoint(store, 'k', 'question');
        await sessions.turn('s', { idempotencyKey: 'k' }, async (turn) => {
          turn.append({ role: 'user', content: 'question' });
          turn.increment('messageCount');
          await turn.checkpoint();
          turn.append({ role: 'assistant', content: 'a different answer' });
          turn.increment('messageCount');
        });
        assert.deepEqual(
          (await store.messages('s')).map(({ content }) => content),
          ['question', 'a different answer'],
        );
        assert.equal((await store.get('s'))?.messageCount, 2);
      },
    );

    context.case('law 6: effects are told apart by ordinal and content', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const say = (contents: readonly string[], fails: boolean) =>
        sessions.turn('s', { idempotencyKey: 'k' }, async (turn) => {
          for (const content of contents) turn.append({ role: 'user', content });
          await turn.checkpoint();
          if (fails) throw new Error('x');
        });
      await assert.rejects(say(['a', 'b'], true));
      await assert.rejects(say(['a', 'c', 'd'], true));
      await assert.rejects(say(['a', 'b', 'd'], true), /x/, 'what any attempt stored stays stored');
      await say(['a', 'c', 'd', 'd'], false);
      assert.deepEqual(
        (await store.messages('s')).map(({ content }) => content),
        ['a', 'b', 'c', 'd', 'd'],
      );
    });

    context.case(
      'law 6: after a death without a checkpoint the next attempt runs as the second',
      async () => {
        const { sessions, store } = await context.place();
        await store.create('s');
        await context.beginByHand(store, 's', { idempotency: { key: 'k', requestDigest: '' } });
        await context.clock.advance(leaseMs + 1);
        assert.equal(await sessions.turn('s', { idempotencyKey: 'k' }, async (t) => t.attempt), 2);
      },
    );

    context.case('law 6: attempts go on being counted, whether they died or failed', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const attempts: number[] = [];
      const ask = (fails: boolean) =>
        sessions.turn('s', { idempotencyKey: 'k' }, async (turn) => {
          attempts.push(turn.attempt);
          turn.update({ metadata: { asked: true } });
          await turn.checkpoint();
          if (fails) throw new Error('planned');
        });
      await assert.rejects(ask(true), /planned/);
      await assert.rejects(ask(true), /planned/);
      await context.beginByHand(store, 's', { idempotency: { key: 'k', requestDigest: '' } });
      await context.clock.advance(leaseMs + 1);
      await ask(false);
      assert.deepEqual(attempts, [1, 2, 4]);
    });

    context.case('law 6: an increment that is stored already cannot fail the repeat', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const ask = (fails: boolean) =>
        sessions.turn('s', { idempotencyKey: 'k' }, async (turn) => {
          turn.increment('n', Number.MAX_SAFE_INTEGER);
          await turn.checkpoint();
          if (fails) throw new Error('planned');
          return turn.current.counters.n;
        });
      await assert.rejects(ask(true), /planned/);
      assert.equal(await ask(false), Number.MAX_SAFE_INTEGER);
    });

    context.case(
      'law 6: a repeat that waits behind its own first attempt gets the outcome',
      async () => {
        const { sessions, store } = await context.place();
        await store.create('s');
        const goOn = new Gate();
        const inside = new Gate();
        const first = sessions.turn('s', { idempotencyKey: 'k' }, async () => {
          inside.open();
          await goOn.promise;
          return 'first';
        });
        await inside.promise;
        const repeat = sessions.turn('s', { idempotencyKey: 'k' }, async () => 'second');
        await context.until(async () => (await store.getStats()).waiters === 1);
        const behind = sessions.turn('s', async () => 'behind');
        goOn.open();
        assert.deepEqual(await Promise.all([first, repeat, behind]), ['first', 'first', 'behind']);
      },
    );

    context.case('law 6: the same key with another request is a mismatch', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const ask = (idempotencyRequest: unknown) =>
        sessions.turn('s', { idempotencyKey: 'k', idempotencyRequest }, async () => 'done');
      await ask({ a: 1, b: [2] });
      assert.equal(await ask({ b: [2], a: 1 }), 'done', 'the order of keys is no difference');
      await assert.rejects(ask({ a: 1, b: [3] }), IdempotencyMismatchError);
      await assert.rejects(ask(undefined), IdempotencyMismatchError);
      assert.equal((await store.get('s'))?.version, 2);
    });

    context.case('law 6: a key belongs to its session', async () => {
      const { sessions, store } = await context.place();
      await store.create('a');
      await store.create('b');
      await sessions.turn('a', { idempotencyKey: 'k' }, async () => 'of a');
      assert.equal(await sessions.turn('b', { idempotencyKey: 'k' }, async () => 'of b'), 'of b');
      await store.delete('a');
      await store.create('a');
      assert.equal(await sessions.turn('a', { idempotencyKey: 'k' }, async () => 'new'), 'new');
    });

    context.case('an outcome lasts as long as its time to live', async () => {
      const { sessions, store } = await context.place({ outcomeTtlMs: context.unitMs * 20 });
      await store.create('s');
      let runs = 0;
      const ask = () =>
        sessions.turn('s', { idempotencyKey: 'k' }, async () => {
          runs += 1;
          return runs;
        });
      assert.equal(await ask(), 1);
      await context.clock.advance(context.unitMs * 15);
      assert.equal(await ask(), 1);
      await context.clock.advance(context.unitMs * 6);
      assert.equal(await ask(), 2);
    });

    context.case('of many outcomes a session keeps the newest 64', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const runs: number[] = [];
      const ask = (index: number) =>
        sessions.turn('s', { idempotencyKey: `k${index}` }, async () => {
          runs.push(index);
          return index;
        });
      for (let index = 0; index < 70; index += 1) await ask(index);
      assert.equal(await ask(69), 69);
      assert.equal(await ask(6), 6);
      assert.equal(runs.length, 70, 'the newest 64 were there');
      assert.equal(await ask(5), 5);
      assert.equal(runs.length, 71, 'the one before was not');
    });

    context.case('outcomes keep to 256 KB a session; one that is larger is refused', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const runs: string[] = [];
      const ask = (key: string, size: number) =>
        sessions.turn('s', { idempotencyKey: key }, async (turn) => {
          runs.push(key);
          turn.increment('n');
          return 'x'.repeat(size);
        });
      await ask('a', 100_000);
      await ask('b', 100_000);
      await ask('c', 100_000);
      await ask('b', 1);
      await ask('c', 1);
      assert.deepEqual(runs, ['a', 'b', 'c']);
      await ask('a', 1);
      assert.deepEqual(runs, ['a', 'b', 'c', 'a']);
      await assert.rejects(ask('large', 300_000), ValidationError);
      assert.equal((await store.get('s'))?.counters.n, 4, 'nothing of the refused turn');
    });

    context.case('a keyed turn must return JSON', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      for (const result of [new Date(), () => 1, Number.NaN, new Map(), Symbol('x'), 10n]) {
        await assert.rejects(
          sessions.turn('s', { idempotencyKey: 'k' }, async () => result),
          ValidationError,
        );
      }
    });
  });
}
