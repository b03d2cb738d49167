import { describe, expect, it } from 'vitest';
import { maxLiveBytes, maxLiveEvents } from '../model/limits.ts';
import { prepareOutput, type TurnEvent, turnEvents } from '../model/turn-event.ts';
import { LiveStream } from './live-stream.ts';

const text = (content: string) => prepareOutput({ type: 'text', text: content });

/** All there is behind the cursor, as a reader gets it. */
function readAll(live: LiveStream, after = 0): TurnEvent[] {
  const events: TurnEvent[] = [];
  let cursor = live.cursorFor(after);
  for (let event = live.next(cursor); event !== null; event = live.next(cursor)) {
    events.push(event);
    cursor = event.seq;
  }
  return events;
}

const typesOf = (events: readonly TurnEvent[]) => events.map(({ type }) => type);

describe('LiveStream', () => {
  it('has nothing to read at first', () => {
    const live = new LiveStream();
    expect([live.lastSeq, live.next(0), live.hasReaders]).toEqual([0, null, false]);
  });

  it('gives each piece its place, and freezes it', () => {
    const live = new LiveStream();
    live.append('t1', [text('a'), text('b')], 1_000);
    const [first, second] = readAll(live);
    expect(first).toEqual({ type: 'text', text: 'a', seq: 1, turnId: 't1', createdAt: 1_000 });
    expect(second).toMatchObject({ text: 'b', seq: 2 });
    expect(Object.isFrozen(first)).toBe(true);
    expect(live.lastSeq).toBe(2);
  });

  it('reads on behind any cursor, for any number of readers', () => {
    const live = new LiveStream();
    live.append('t1', [text('a'), text('b'), text('c')], 0);
    expect(readAll(live, 1)).toMatchObject([{ text: 'b' }, { text: 'c' }]);
    expect(readAll(live, 3)).toEqual([]);
    expect(readAll(live, 1)).toHaveLength(2);
  });

  it('begins with what comes new, unless told otherwise', () => {
    const live = new LiveStream();
    live.append('t1', [text('a'), text('b')], 0);
    expect(live.cursorFor(undefined)).toBe(2);
    expect(live.cursorFor(1)).toBe(1);
  });

  it('begins at the start for a reader of an earlier session, who has seen more', () => {
    const live = new LiveStream();
    live.append('t1', [text('a')], 0);
    expect(live.cursorFor(7)).toBe(0);
  });

  it('ends a turn that cannot end itself, once', () => {
    const live = new LiveStream();
    live.append('t1', [turnEvents.started(1), text('a')], 0);
    live.failOpenTurn('t1', 'LEASE_LOST', 10);
    live.failOpenTurn('t1', 'LEASE_LOST', 20);
    expect(typesOf(readAll(live))).toEqual(['turn.started', 'text', 'turn.failed']);
    expect(readAll(live, 2)).toMatchObject([{ code: 'LEASE_LOST', turnId: 't1', createdAt: 10 }]);
  });

  it.each([turnEvents.completed(), turnEvents.failed('X')])(
    'ends no turn that has ended: $type',
    (end) => {
      const live = new LiveStream();
      live.append('t1', [turnEvents.started(1), end], 0);
      live.failOpenTurn('t1', 'LEASE_LOST', 0);
      expect(live.lastSeq).toBe(2);
    },
  );

  it('ends no turn without output, nor another one', () => {
    const live = new LiveStream();
    live.failOpenTurn('t1', 'LEASE_LOST', 0);
    live.append('t2', [turnEvents.started(1)], 0);
    live.failOpenTurn('t1', 'LEASE_LOST', 0);
    expect(live.lastSeq).toBe(1);
  });

  it('drops what is older than a minute when a turn starts, not while one runs', () => {
    const live = new LiveStream();
    live.append('t1', [turnEvents.started(1), text('old'), turnEvents.completed()], 0);
    live.append('t2', [text('later')], 60_001);
    expect(readAll(live)).toHaveLength(4);
    live.append('t3', [turnEvents.started(1)], 60_000);
    expect(readAll(live)).toHaveLength(5);
    live.append('t4', [turnEvents.started(1)], 60_001);
    expect(typesOf(readAll(live))).toEqual(['turn.gap', 'text', 'turn.started', 'turn.started']);
  });

  it('tells a reader that fell behind of the gap, and goes on with what is kept', () => {
    const live = new LiveStream();
    live.append('t1', [turnEvents.started(1), text('old')], 0);
    live.append('t2', [turnEvents.started(1), text('new')], 100_000);
    const gap = live.next(0);
    expect(gap).toEqual({ seq: 2, turnId: 't2', createdAt: 100_000, type: 'turn.gap' });
    expect(readAll(live)).toMatchObject([
      { type: 'turn.gap', seq: 2 },
      { type: 'turn.started', seq: 3 },
      { type: 'text', seq: 4 },
    ]);
    expect(readAll(live, 2)).toMatchObject([{ seq: 3 }, { seq: 4 }]);
  });

  it('keeps so many events, the newest', () => {
    const live = new LiveStream();
    for (let count = 1; count <= 3 * maxLiveEvents; count += 1) {
      live.append('t1', [text(String(count))], 0);
      const kept = readAll(live).filter(({ type }) => type !== 'turn.gap');
      expect(kept.length).toBeLessThanOrEqual(maxLiveEvents);
      expect(kept.length).toBeGreaterThanOrEqual(Math.min(count, (maxLiveEvents * 3) / 4));
      expect(kept.at(-1)).toMatchObject({ text: String(count), seq: count });
    }
  });

  it('keeps so many bytes, the newest', () => {
    const live = new LiveStream();
    const tenth = 'x'.repeat(maxLiveBytes / 10);
    for (let count = 1; count <= 30; count += 1) {
      live.append('t1', [text(tenth)], 0);
      const kept = readAll(live).filter(({ type }) => type !== 'turn.gap');
      expect(kept.length).toBeLessThan(10);
      expect(kept.length).toBeGreaterThanOrEqual(Math.min(count, 6));
    }
  });
});
