import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { prepareOutput, type TurnEvent } from '../model/turn-event.ts';
import { LiveReading } from './live-reading.ts';
import { LiveStream } from './live-stream.ts';

const piece = (text: string) => prepareOutput({ type: 'text', text });
const nothing = { done: true, value: undefined } as const;

function reading(live = new LiveStream(), { signal }: { signal?: AbortSignal } = {}) {
  let waits = 0;
  const onWait = () => {
    waits += 1;
  };
  const reader = new LiveReading(signal, () => ({ live, cursor: live.cursorFor(0), onWait }));
  const append = (...texts: string[]) => live.append('t1', texts.map(piece), 0);
  return { live, reader, append, waits: () => waits };
}

const textOf = ({ value }: IteratorResult<TurnEvent, undefined>) => value?.text;

/** Whether a promise has resolved, and to what, once all that is ready has run. */
async function stateOf<T>(promise: Promise<T>): Promise<T | 'waiting'> {
  const settled = new Promise<'waiting'>((resolve) => setImmediate(resolve, 'waiting'));
  return Promise.race([promise, settled]);
}

it('hands out what is there, then waits for what comes', async () => {
  const { reader, append, waits } = reading();
  append('a', 'b');
  expect([textOf(await reader.next()), textOf(await reader.next()), waits()]).toEqual([
    'a',
    'b',
    0,
  ]);
  const third = reader.next();
  expect([await stateOf(third), waits()]).toEqual(['waiting', 1]);
  append('c');
  expect(textOf(await third)).toBe('c');
});

it('wakes every reader', async () => {
  const { live, reader, append } = reading();
  const other = reading(live).reader;
  const asked = [reader.next(), other.next()];
  append('a');
  expect((await Promise.all(asked)).map(textOf)).toEqual(['a', 'a']);
  expect(live.hasReaders).toBe(false);
});

it('answers several who ask at once, in their order, however the events come', async () => {
  const { live, reader, append, waits } = reading();
  const asked = ['1', '2', '3', '4'].map(() => reader.next());
  append('a');
  append('b');
  expect((await Promise.all(asked.slice(0, 2))).map(textOf)).toEqual(['a', 'b']);
  expect(await stateOf(Promise.race(asked.slice(2)))).toBe('waiting');
  append('c', 'd', 'e');
  expect((await Promise.all(asked.slice(2))).map(textOf)).toEqual(['c', 'd']);
  expect([textOf(await reader.next()), live.hasReaders, waits()]).toEqual(['e', false, 2]);
});

it('changes nothing from inside of the write that wakes it', async () => {
  const live = new LiveStream();
  let isWriting = false;
  const onWait = () => expect(isWriting).toBe(false);
  const reader = new LiveReading(undefined, () => ({ live, cursor: 0, onWait }));
  const first = reader.next();
  const second = reader.next();
  isWriting = true;
  live.append('t1', [piece('a')], 0);
  isWriting = false;
  expect(textOf(await first)).toBe('a');
  live.append('t1', [piece('b')], 0);
  expect(textOf(await second)).toBe('b');
});

it('gives what is left when the stream ends, and then no more', async () => {
  const { live, reader, append } = reading();
  append('a');
  live.end();
  expect(textOf(await reader.next())).toBe('a');
  expect(await reader.next()).toEqual(nothing);
  const waiting = reading();
  const asked = [waiting.reader.next(), waiting.reader.next()];
  waiting.live.end();
  expect(await Promise.all(asked)).toEqual([nothing, nothing]);
});

it('ends with its reader, also while it waits, and leaves the others waiting', async () => {
  const { live, reader, append } = reading();
  const stays = reading(live).reader.next();
  const asked = reader.next();
  expect(await reader.return()).toEqual(nothing);
  expect([await asked, await reader.next()]).toEqual([nothing, nothing]);
  expect(await stateOf(stays)).toBe('waiting');
  append('a');
  expect(textOf(await stays)).toBe('a');
});

it('ends with its signal, and leaves nothing behind', async () => {
  const leave = new AbortController();
  const { live, reader } = reading(undefined, { signal: leave.signal });
  const asked = reader.next();
  expect([live.hasReaders, getEventListeners(leave.signal, 'abort').length]).toEqual([true, 1]);
  leave.abort();
  expect(await asked).toEqual(nothing);
  expect([live.hasReaders, getEventListeners(leave.signal, 'abort').length]).toEqual([false, 0]);
});

it('does not begin for a reader who has left', async () => {
  const signal = AbortSignal.abort();
  const { live, reader } = reading(undefined, { signal });
  expect(await reader.next()).toEqual(nothing);
  expect([live.hasReaders, getEventListeners(signal, 'abort').length]).toEqual([false, 0]);
});

it('fails as its beginning does, once', async () => {
  const signal = new AbortController().signal;
  const reader = new LiveReading(signal, () => {
    throw new Error('No such session.');
  });
  await expect(reader.next()).rejects.toThrow('No such session.');
  expect(await reader.next()).toEqual(nothing);
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});

it('fails whoever asked for an event that cannot be opened, and ends', async () => {
  const { live, reader, append } = reading();
  const asked = [reader.next(), reader.next()];
  live.next = () => {
    throw new Error('Not authentic.');
  };
  append('a');
  await expect(asked[0]).rejects.toThrow('Not authentic.');
  expect(await asked[1]).toEqual(nothing);
});
