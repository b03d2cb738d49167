import assert from 'node:assert/strict';
import { ValidationError } from '../../errors/errors.ts';
import type { NewMessage } from '../../model/message.ts';
import type { SuiteContext } from './suite-context.ts';

const numbered = (count: number, from = 1): NewMessage[] =>
  Array.from({ length: count }, (_, index) => ({ role: 'user', content: from + index }));

/** Law 9, and what else holds for a session's messages. */
export function historyCases(context: SuiteContext): void {
  context.group('history', () => {
    context.case('a message is read as { id, seq, role, content, createdAt }', async () => {
      const { store } = await context.place();
      await store.create('s');
      const appended = await store.appendMessages('s', [
        { id: 'my-id', role: 'tool', content: { result: [1, null, 'ü'] } },
        { role: 'operator', content: 'hello' },
      ]);
      const messages = await store.messages('s');
      assert.deepEqual(messages, appended);
      const [first, second] = messages;
      assert.deepEqual(
        { ...first, createdAt: 0 },
        { id: 'my-id', seq: 1, role: 'tool', content: { result: [1, null, 'ü'] }, createdAt: 0 },
      );
      assert.ok(Number.isSafeInteger(first?.createdAt));
      assert.ok((second?.id.length ?? 0) >= 16, 'a random id');
      assert.throws(() => Object.assign(first ?? {}, { seq: 9 }), TypeError);
      assert.throws(() => (messages as unknown[]).push(1), TypeError);
    });

    context.case('a message of a turn has the time of the commit that stored it', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      await sessions.turn('s', async (turn) => {
        turn.append({ role: 'user', content: 'first' });
        await turn.checkpoint();
        await context.clock.advance(context.unitMs * 2);
        turn.append({ role: 'assistant', content: 'second' });
      });
      const [first, second] = await store.messages('s');
      const { lastActivity = 0 } = (await store.get('s')) ?? {};
      assert.equal(second?.createdAt, lastActivity);
      assert.ok(lastActivity - (first?.createdAt ?? 0) >= context.unitMs);
    });

    context.case('law 9: the newest SESSION_MAX_MESSAGES are kept, and numbers go on', async () => {
      const { store } = await context.place({ maxMessages: 10 });
      await store.create('s');
      for (let batch = 0; batch < 9; batch += 1) {
        await store.appendMessages('s', numbered(3, batch * 3 + 1));
      }
      const messages = await store.messages('s');
      assert.deepEqual(
        messages.map(({ seq, content }) => [seq, content]),
        Array.from({ length: 10 }, (_, index) => [18 + index, 18 + index]),
      );
      assert.deepEqual(await store.messages('s', { before: 18 }), []);
      await store.appendMessages('s', numbered(25, 28));
      assert.deepEqual(
        (await store.messages('s')).map(({ seq }) => seq),
        Array.from({ length: 10 }, (_, index) => 43 + index),
      );
    });

    context.case(
      'law 9: an append stores what is appended, and touches no other message',
      async () => {
        const { store } = await context.place();
        await store.create('s');
        await store.appendMessages('s', numbered(200));
        const before = await store.messages('s');
        const version = (await store.get('s'))?.version ?? 0;
        const appended = await store.appendMessages('s', numbered(2, 201));
        assert.deepEqual(
          appended.map(({ seq }) => seq),
          [201, 202],
        );
        const after = await store.messages('s');
        assert.deepEqual(after.slice(0, 200), before);
        assert.deepEqual(after.slice(200), appended);
        assert.equal((await store.get('s'))?.version, version + 1);
      },
    );

    context.case('history is paged back by before, and on by after', async () => {
      const { store } = await context.place();
      await store.create('s');
      await store.appendMessages('s', numbered(10));
      const seqs = async (options: Parameters<typeof store.messages>[1]) =>
        (await store.messages('s', options)).map(({ seq }) => seq);
      assert.deepEqual(await seqs({ limit: 3 }), [8, 9, 10]);
      assert.deepEqual(await seqs({ limit: 3, before: 8 }), [5, 6, 7]);
      assert.deepEqual(await seqs({ limit: 5, before: 3 }), [1, 2]);
      assert.deepEqual(await seqs({ limit: 3, after: 0 }), [1, 2, 3]);
      assert.deepEqual(await seqs({ limit: 3, after: 8 }), [9, 10]);
      assert.deepEqual(await seqs({ after: 3, before: 6 }), [4, 5]);
      assert.deepEqual(await seqs({ after: 10 }), []);
      assert.deepEqual(await seqs({ before: 1 }), []);
      assert.deepEqual(await seqs({ limit: 0 }), []);
      assert.deepEqual(await seqs({ before: 5, after: 7 }), []);
      for (const bad of [{ limit: -1 }, { before: 1.5 }, { after: Number.NaN }]) {
        await assert.rejects(store.messages('s', bad), ValidationError);
      }
    });

    context.case(
      'concurrent appends from three writers are all there, each batch together',
      async () => {
        const { store, writer } = await context.place();
        const writers = [store, (await writer()).store, (await writer()).store];
        await store.create('s');
        await Promise.all(
          Array.from({ length: 60 }, (_, index) =>
            writers[index % 3]?.appendMessages('s', [
              { role: 'user', content: `q${index}` },
              { role: 'assistant', content: `a${index}` },
            ]),
          ),
        );
        const messages = await store.messages('s');
        assert.deepEqual(
          messages.map(({ seq }) => seq),
          Array.from({ length: 120 }, (_, index) => index + 1),
        );
        for (let index = 0; index < 120; index += 2) {
          assert.equal(
            messages[index + 1]?.content,
            String(messages[index]?.content).replace('q', 'a'),
          );
        }
      },
    );

    context.case('a batch with one bad message stores none', async () => {
      const { store } = await context.place();
      await store.create('s');
      const bad = [
        { role: 'nobody', content: 'x' },
        { role: 'user' },
        { role: 'user', content: 'x', extra: 1 },
        { role: 'user', content: () => 1 },
        { role: 'user', content: 'x', id: 'bad id' },
        { role: 'user', content: 'x'.repeat(1024 * 1024 + 1) },
        { role: 'user', content: JSON.parse('{"__proto__": {"a": 1}}') },
        null,
      ] as unknown as NewMessage[];
      for (const message of bad) {
        await assert.rejects(
          store.appendMessages('s', [{ role: 'user', content: 'good' }, message]),
          ValidationError,
        );
      }
      assert.deepEqual(await store.messages('s'), []);
      assert.equal((await store.get('s'))?.version, 1);
    });
  });
}
