import assert from 'node:assert/strict';
import { SessionGoneError } from '../../errors/errors.ts';
import { Gate, type SuiteContext } from './suite-context.ts';

/** Law 11: an operator's click neither waits for a turn nor fails it. */
export function outsideWriteCases(context: SuiteContext): void {
  context.group('writes from outside during a turn', () => {
    context.case(
      'law 11: they take effect at once, and the turn re-applies its own on them',
      async () => {
        const { sessions, store, writer } = await context.place();
        const operator = (await writer()).store;
        await store.create('s', { metadata: { both: 'old', turn: 'old', outside: 'old' } });
        const inside = new Gate();
        const goOn = new Gate();
        const turn = sessions.turn('s', async (turn) => {
          turn.update({ metadata: { both: 'turn', turn: 'turn' } });
          turn.increment('n', 2);
          turn.append({ role: 'user', content: 'from the turn' });
          inside.open();
          await goOn.promise;
          return 'done';
        });
        await inside.promise;
        await operator.update('s', {
          status: 'handed_over',
          metadata: { both: 'x', outside: 'new' },
        });
        assert.equal(await operator.incrementCounter('s', 'n', 5), 5);
        await operator.appendMessages('s', [{ role: 'operator', content: 'from outside' }]);
        const between = await store.get('s', { fresh: true });
        assert.equal(between?.status, 'handed_over');
        assert.equal(between?.metadata.turn, 'old', 'the turn shows nothing before its commit');
        goOn.open();
        assert.equal(await turn, 'done');
        const session = await store.get('s', { fresh: true });
        assert.deepEqual(session?.metadata, { both: 'turn', turn: 'turn', outside: 'new' });
        assert.equal(session?.counters.n, 7);
        assert.equal(session?.status, 'handed_over');
        assert.deepEqual(
          (await store.messages('s')).map(({ seq, content }) => [seq, content]),
          [
            [1, 'from outside'],
            [2, 'from the turn'],
          ],
        );
      },
    );

    context.case('a message for an open session is none for a closed one', async () => {
      const { store, writer } = await context.place();
      const operator = (await writer()).store;
      const say = (content: string) =>
        operator.appendMessages('s', [{ role: 'operator', content }], {
          ifOpen: true,
          nonce: content,
        });
      await store.create('s');
      const [first] = await say('first');
      await store.update('s', { status: 'handed_over' });
      await say('second');
      await store.update('s', { status: 'closed' });
      // The writer has last seen it open.
      await assert.rejects(say('third'), (error) => error instanceof SessionGoneError);
      assert.deepEqual(await say('first'), [first], 'a repeat gets what was stored before');
      await operator.appendMessages('s', [{ role: 'system', content: 'closed' }]);
      const stored = await store.messages('s');
      assert.deepEqual(
        stored.map(({ content }) => content),
        ['first', 'second', 'closed'],
      );
      await store.update('s', { status: 'active' });
      assert.equal((await say('third'))[0]?.seq, 4);
    });

    context.case('law 11: 100 of them during a turn lose nothing', async () => {
      const { sessions, store, writer } = await context.place();
      const operator = (await writer()).store;
      await store.create('s');
      await sessions.turn('s', async (turn) => {
        turn.increment('n');
        await Promise.all(
          Array.from({ length: 100 }, (_, index) =>
            Promise.all([
              operator.incrementCounter('s', 'n'),
              operator.update('s', { metadata: { [`k${index}`]: 1 } }),
            ]),
          ),
        );
        turn.update({ metadata: { mine: 1 } });
      });
      const session = await store.get('s', { fresh: true });
      assert.equal(session?.counters.n, 101);
      assert.equal(Object.keys(session?.metadata ?? {}).length, 101);
    });

    context.case('a turn works on its snapshot: others are seen after a checkpoint', async () => {
      const { sessions, store } = await context.place();
      await store.create('s', { metadata: { a: 1 } });
      await store.appendMessages('s', [{ role: 'user', content: 'before' }]);
      await sessions.turn('s', async (turn) => {
        await store.update('s', { metadata: { a: 2 } });
        await store.appendMessages('s', [{ role: 'operator', content: 'meanwhile' }]);
        assert.equal(turn.session.metadata.a, 1);
        assert.equal(turn.current.metadata.a, 1);
        turn.append({ role: 'assistant', content: 'mine' });
        assert.deepEqual(
          (await turn.messages()).map(({ content }) => content),
          ['before', 'mine'],
        );
        await turn.checkpoint();
        assert.equal(turn.session.metadata.a, 1, 'the snapshot of the beginning stays');
        assert.equal(turn.current.metadata.a, 2);
        assert.deepEqual(
          (await turn.messages()).map(({ content }) => content),
          ['before', 'meanwhile', 'mine'],
        );
      });
    });
  });
}
