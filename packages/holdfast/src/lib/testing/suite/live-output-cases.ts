import assert from 'node:assert/strict';
import { SessionNotFoundError, ValidationError } from '../../errors/errors.ts';
import {
  type LiveOutput,
  prepareOutput,
  type TurnEvent,
  turnEvents,
} from '../../model/turn-event.ts';
import { Gate, type SuiteContext } from './suite-context.ts';

const brief = ({ type, text, attempt, code }: TurnEvent) =>
  [type, text ?? attempt ?? code].filter((part) => part !== undefined).join(' ');

/** Reads events until one has this type. */
async function readTo(events: AsyncIterable<TurnEvent>, last: string): Promise<TurnEvent[]> {
  const seen: TurnEvent[] = [];
  for await (const event of events) {
    seen.push(event);
    if (event.type === last) break;
  }
  return seen;
}

/** Live output: in order, resumable from any instance, and always ended. */
export function liveOutputCases(context: SuiteContext): void {
  context.group('live output', () => {
    context.case('startTurn gives the events of its turn, and the result', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const { events, result } = sessions.startTurn('s', async (turn) => {
        turn.emit({ type: 'text', text: 'a' });
        await context.settle();
        turn.emit({ type: 'text', text: 'b' });
        turn.emit({ type: 'text', text: 'c' });
        return 'abc';
      });
      const first = await readTo(events, 'turn.completed');
      assert.deepEqual(first.map(brief), [
        'turn.started 1',
        'text a',
        'text b',
        'text c',
        'turn.completed',
      ]);
      assert.deepEqual(
        first.map(({ seq }) => seq),
        [1, 2, 3, 4, 5],
      );
      assert.equal(new Set(first.map(({ turnId }) => turnId)).size, 1);
      assert.equal(await result, 'abc');
      assert.deepEqual(await readTo(events, 'turn.completed'), first, 'they can be read again');
    });

    context.case('a turn without output still starts and ends for its reader', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const { events, result } = sessions.startTurn('s', async () => 1);
      assert.deepEqual((await readTo(events, 'none')).map(brief), [
        'turn.started 1',
        'turn.completed',
      ]);
      assert.equal(await result, 1);
    });

    context.case('a reader that leaves stops nothing', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const goOn = new Gate();
      const { events, result } = sessions.startTurn('s', async (turn) => {
        turn.emit({ type: 'text', text: 'a' });
        await goOn.promise;
        turn.append({ role: 'assistant', content: 'done' });
        return 'done';
      });
      await readTo(events, 'text');
      goOn.open();
      assert.equal(await result, 'done');
      assert.equal((await store.messages('s')).length, 1);
    });

    context.case('the events of a turn end also for who reads them late', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const say = (text: string) =>
        sessions.startTurn('s', async (turn) => turn.emit({ type: 'text', text }));
      const first = say('first');
      await first.result;
      for (let turn = 0; turn < 400; turn += 1) await say(`later ${turn}`).result;
      const seen = await readTo(first.events, 'never');
      assert.ok(seen.every(({ text }) => text === undefined || text === 'first'));
      await store.delete('s');
      await store.create('s');
      await assert.rejects(readTo(first.events, 'never'), { code: 'SESSION_GONE' });
    });

    context.case('a failed turn’s events end with its code', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const { events, result } = sessions.startTurn('s', async (turn) => {
        turn.emit({ type: 'text', text: 'a' });
        throw new Error('secret detail');
      });
      const seen = await readTo(events, 'turn.failed');
      assert.deepEqual(seen.map(brief), ['turn.started 1', 'text a', 'turn.failed WORK_FAILED']);
      assert.ok(!JSON.stringify(seen).includes('secret'));
      await assert.rejects(result, /secret detail/);
    });

    context.case('a turn that cannot begin throws from its events too', async () => {
      const { sessions, store } = await context.place();
      await store.create('s', { status: 'closed' });
      const { events, result } = sessions.startTurn('s', async () => 1);
      await assert.rejects(readTo(events, 'x'), { code: 'SESSION_GONE' });
      await assert.rejects(result, { code: 'SESSION_GONE' });
      const quiet = sessions.startTurn('none', async () => 1);
      await assert.rejects(readTo(quiet.events, 'x'), SessionNotFoundError);
      await assert.rejects(quiet.result, SessionNotFoundError);
    });

    context.case('a subscription whose signal has aborted already is over', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      await sessions.startTurn('s', async () => 1).result;
      for (const id of ['s', 'none']) {
        const events = sessions.subscribe(id, { after: 0, signal: AbortSignal.abort() });
        assert.deepEqual(await readTo(events, 'x'), []);
      }
    });

    context.case('a repeat has no events, and the stored outcome', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const start = () =>
        sessions.startTurn('s', { idempotencyKey: 'k' }, async (turn) => {
          turn.emit({ type: 'text', text: 'a' });
          return 'x';
        });
      await start().result;
      const { events, result } = start();
      assert.deepEqual(await readTo(events, 'x'), []);
      assert.equal(await result, 'x');
    });

    context.case('subscribe follows a session from another instance, over turns', async () => {
      const { sessions, store, writer } = await context.place();
      const other = await writer();
      await store.create('s');
      const say = (text: string) =>
        sessions.turn('s', async (turn) => turn.emit({ type: 'text', text }));
      const leave = new AbortController();
      const seen: string[] = [];
      const following = (async () => {
        for await (const event of other.subscribe('s', { after: 0, signal: leave.signal })) {
          seen.push(brief(event));
        }
      })();
      await say('a');
      await say('b');
      await context.until(() => seen.length === 6);
      leave.abort();
      await following;
      assert.deepEqual(seen, [
        'turn.started 1',
        'text a',
        'turn.completed',
        'turn.started 1',
        'text b',
        'turn.completed',
      ]);
    });

    context.case(
      'a reader resumes behind what it has seen, without a gap or a double',
      async () => {
        const { sessions, store, writer } = await context.place();
        const other = await writer();
        await store.create('s');
        const half = new Gate();
        const turn = sessions.turn('s', async (turn) => {
          for (let index = 0; index < 20; index += 1) {
            turn.emit({ type: 'text', text: String(index) });
            if (index === 10) await half.promise;
          }
        });
        const before: TurnEvent[] = [];
        for await (const event of sessions.subscribe('s', { after: 0 })) {
          before.push(event);
          if (before.length === 7) break;
        }
        half.open();
        await turn;
        const after = await readTo(other.subscribe('s', { after: 7 }), 'turn.completed');
        assert.deepEqual(
          [...before, ...after].map(({ seq }) => seq),
          Array.from({ length: 22 }, (_, index) => index + 1),
        );
      },
    );

    context.case('without a place to resume from, only what is new comes', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const say = (text: string) =>
        sessions.turn('s', async (turn) => turn.emit({ type: 'text', text }));
      await say('old');
      const leave = new AbortController();
      const seen: unknown[] = [];
      const reading = (async () => {
        for await (const { text } of sessions.subscribe('s', { signal: leave.signal })) {
          if (text !== undefined) seen.push(text);
        }
      })();
      // A subscription may take its time to be there, and misses what comes before.
      await context.until(async () => {
        await say('new');
        return seen.length > 0;
      });
      leave.abort();
      await reading;
      assert.ok(seen.every((text) => text === 'new'));
    });

    context.case('a reader that was told it has its place misses nothing', async () => {
      const { sessions, store, writer } = await context.place();
      const other = await writer();
      await store.create('s');
      const say = (text: string) =>
        sessions.turn('s', async (turn) => turn.emit({ type: 'text', text }));
      await say('old');
      let place = () => {};
      const ready = new Promise<void>((resolve) => {
        place = resolve;
      });
      const reading = readTo(other.subscribe('s', { onReady: place }), 'turn.completed');
      await ready;
      await say('new');
      assert.deepEqual((await reading).map(brief), [
        'turn.started 1',
        'text new',
        'turn.completed',
      ]);
    });

    context.case(
      'the output of a holder that died ends, and the next attempt is marked',
      async () => {
        const { sessions, store } = await context.place();
        await store.create('s');
        const idempotency = { key: 'k', requestDigest: '' };
        const { lease } = await context.beginByHand(store, 's', { idempotency });
        const nonce = crypto.randomUUID();
        const output = [turnEvents.started(1), prepareOutput({ type: 'text', text: 'half' })];
        await store.emit(lease, output, nonce);
        await store.emit(lease, output, nonce); // its reply was lost: it is there once
        const seen: string[] = [];
        const reading = (async () => {
          for await (const event of sessions.subscribe('s', { after: 0 })) {
            seen.push(brief(event));
            if (event.type === 'turn.completed') return;
          }
        })();
        await context.until(() => seen.includes('turn.failed LEASE_LOST'));
        await sessions.turn('s', { idempotencyKey: 'k' }, async (turn) => {
          turn.emit({ type: 'text', text: 'whole' });
        });
        await reading;
        assert.deepEqual(seen, [
          'turn.started 1',
          'text half',
          'turn.failed LEASE_LOST',
          'turn.started 2',
          'text whole',
          'turn.completed',
        ]);
      },
    );

    context.case('a reader that leaves while it waits is let go at once', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const reader = sessions.subscribe('s')[Symbol.asyncIterator]();
      const waiting = reader.next();
      await context.settle();
      assert.deepEqual(await reader.return?.(), { done: true, value: undefined });
      assert.equal((await waiting).done, true);
      const { lease } = await context.beginByHand(store, 's');
      const { events, result } = sessions.startTurn('s', async () => 'late');
      const early = events[Symbol.asyncIterator]();
      const first = early.next();
      await early.return?.();
      assert.equal((await first).done, true);
      await store.release(lease);
      assert.equal(await result, 'late');
    });

    context.case('the events of a turn that is interrupted at a checkpoint end', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const inside = new Gate();
      const { events, result } = sessions.startTurn('s', async (turn) => {
        turn.emit({ type: 'text', text: 'half' });
        inside.open();
        await new Promise((resolve) => turn.signal.addEventListener('abort', resolve));
        await turn.checkpoint();
      });
      result.catch(() => {});
      await inside.promise;
      const interrupter = sessions.turn('s', { onBusy: 'interrupt' }, async () => 'next');
      await context.until(() => interrupter.then(Boolean));
      assert.deepEqual((await readTo(events, 'never')).map(brief), [
        'turn.started 1',
        'text half',
        'turn.failed TURN_INTERRUPTED',
      ]);
      await assert.rejects(result, { code: 'TURN_INTERRUPTED' });
    });

    context.case('the events of a turn whose session is deleted end', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const { events, result } = sessions.startTurn('s', async (turn) => {
        turn.emit({ type: 'text', text: 'half' });
        await context.settle();
        await store.delete('s');
      });
      result.catch(() => {});
      const seen = await readTo(events, 'never');
      assert.deepEqual(seen.map(brief), ['turn.started 1', 'text half']);
      await assert.rejects(result, { code: 'SESSION_GONE' });
    });

    context.case('subscriptions end with their session', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      await sessions.turn('s', async (turn) => turn.emit({ type: 'text', text: 'x' }));
      const seen: string[] = [];
      const reading = (async () => {
        for await (const event of sessions.subscribe('s', { after: 0 })) seen.push(event.type);
      })();
      await context.until(() => seen.length === 3);
      await store.delete('s');
      await reading;
      assert.deepEqual(seen, ['turn.started', 'text', 'turn.completed']);
      await assert.rejects(readTo(sessions.subscribe('s'), 'x'), SessionNotFoundError);
    });

    context.case('output beyond what is kept is a gap that the reader is told of', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      await sessions.turn('s', async (turn) => {
        for (let index = 0; index < 3_000; index += 1) {
          turn.emit({ type: 'text', text: String(index) });
        }
      });
      const seen = await readTo(sessions.subscribe('s', { after: 1 }), 'turn.completed');
      assert.equal(seen[0]?.type, 'turn.gap');
      assert.equal(seen.at(-1)?.seq, 3_002);
      for (const [index, { seq }] of seen.entries()) {
        if (index > 0) assert.equal(seq, (seen[index - 1]?.seq ?? 0) + 1);
      }
      assert.ok(seen.length > 500 && seen.length <= 1_025, 'bounded, and of use');
    });

    context.case('live output must be JSON with a type of its own', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      await sessions.turn('s', async (turn) => {
        for (const output of [
          { type: 'turn.completed' },
          { type: '' },
          { text: 'x' },
          { type: 'x', seq: 1 },
          { type: 'x', turnId: 'y' },
          { type: 'x', fn: () => 1 },
          { type: 'x', text: 'y'.repeat(64 * 1024) },
        ]) {
          assert.throws(() => turn.emit(output as LiveOutput), ValidationError);
        }
      });
    });
  });
}
