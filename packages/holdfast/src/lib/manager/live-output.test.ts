import { describe, expect, it } from 'vitest';
import { prepareOutput, turnEvents } from '../model/turn-event.ts';
import type { Lease } from '../store/turn-store.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { LiveOutputWriter } from './live-output.ts';

const lease = { sessionId: 's' } as Lease;
const text = (content: string) => prepareOutput({ type: 'text', text: content });

/** A store whose writes take 10 ms each, as one over a network may. */
function setUp(outputIntervalMs: number) {
  const clock = new FakeClock(0);
  const writes: { at: number; types: unknown[] }[] = [];
  let open = 0;
  const writer = new LiveOutputWriter({
    store: {
      outputIntervalMs,
      emit: (_, output) => {
        open += 1;
        expect(open, 'one write at a time').toBe(1);
        writes.push({ at: clock.now(), types: output.map(({ type, text }) => text ?? type) });
        return new Promise((resolve) => {
          clock.setTimer(10, () => {
            open -= 1;
            resolve();
          });
        });
      },
    },
    lease: () => lease,
    attempt: 1,
    clock,
    onRefused: (error) => {
      throw error;
    },
  });
  return { clock, writer, writes };
}

describe('live output', () => {
  it('writes the first piece at once, and then at most once an interval, in order', async () => {
    const { clock, writer, writes } = setUp(50);
    for (let piece = 0; piece < 20; piece += 1) {
      writer.emit(text(String(piece)));
      await clock.advance(10);
    }
    expect(writes[0]).toEqual({ at: 0, types: ['turn.started'] });
    for (const [index, { at }] of writes.entries()) {
      if (index > 0) expect(at - (writes[index - 1]?.at ?? 0)).toBeGreaterThanOrEqual(50);
    }
    const rest = await writer.end(turnEvents.completed());
    const all = [
      ...writes.flatMap(({ types }) => types),
      ...rest.map(({ type, text }) => text ?? type),
    ];
    expect(all).toEqual([
      'turn.started',
      ...Array.from({ length: 20 }, (_, piece) => String(piece)),
      'turn.completed',
    ]);
    expect(clock.timers).toBe(0);
  });

  it('waits for a write under way before the turn ends, and leaves the rest to the commit', async () => {
    const { clock, writer, writes } = setUp(0);
    writer.emit(text('a'));
    writer.emit(text('b'));
    const ending = writer.end(turnEvents.completed());
    await clock.advance(10);
    expect((await ending).map(({ type }) => type)).toEqual(['text', 'text', 'turn.completed']);
    expect(writes).toHaveLength(1);
  });

  it('is refused also by a store that throws at once, in a call and in a timer', async () => {
    const clock = new FakeClock(0);
    const refused: unknown[] = [];
    const failure = new Error('refused');
    const writer = new LiveOutputWriter({
      store: {
        outputIntervalMs: 50,
        emit: () => {
          throw failure;
        },
      },
      lease: () => lease,
      attempt: 1,
      clock,
      onRefused: (error) => refused.push(error),
    });
    writer.emit(text('a'));
    await clock.advance(50);
    writer.emit(text('b'));
    await clock.advance(50);
    // The turn's start, and the two pieces.
    expect(refused).toEqual([failure, failure, failure]);
    expect((await writer.end(turnEvents.failed('X'))).map(({ type }) => type)).toEqual([
      'turn.failed',
    ]);
    expect(clock.timers).toBe(0);
  });
});
