import { expect, it } from 'vitest';
import type { TurnEvent } from '../model/turn-event.ts';
import { Ending } from '../store/ending.ts';
import type { Lease } from '../store/turn-store.ts';
import { type OutputStart, turnEventsOf } from './turn-events.ts';

const lease = { sessionId: 's', incarnation: 'i', fence: 7, nonce: 'n', ifVersion: null } as Lease;
const begun: OutputStart = { lease, lastEventSeq: 0 };
const event = (turn: string, type = 'text'): TurnEvent => ({
  ...{ seq: 1, createdAt: 0 },
  turnId: turn,
  type,
});

/** A store whose events come as they are given, each a while after it was asked for. */
function storeOf(events: readonly TurnEvent[]) {
  let returned = 0;
  async function* read(): AsyncGenerator<TurnEvent> {
    try {
      for (const given of events) {
        await new Promise(setImmediate);
        yield given;
      }
    } finally {
      returned += 1;
    }
  }
  return { subscribe: read, returned: () => returned };
}

function readingOf(events: readonly TurnEvent[], lost = new Ending<unknown>()) {
  const store = storeOf(events);
  const iterable = turnEventsOf(store, Promise.resolve(begun), lost);
  return { store, reader: iterable[Symbol.asyncIterator]() };
}

it('gives who asks several times at once the turn’s events in order, and passes over others', async () => {
  const own = ['a', 'b', 'c'].map((type) => event('7', type));
  const [a, b, c] = own as [TurnEvent, TurnEvent, TurnEvent];
  const { store, reader } = readingOf([
    event('6'),
    a,
    event('5'),
    b,
    c,
    event('7', 'turn.completed'),
  ]);
  const asked = await Promise.all([1, 2, 3, 4, 5].map(() => reader.next()));
  expect(asked.map(({ value }) => value?.type)).toEqual([
    ...['a', 'b', 'c', 'turn.completed'],
    undefined,
  ]);
  expect(store.returned()).toBe(1);
});

it('fails with what its events fail of behind those of others', async () => {
  async function* failing(): AsyncGenerator<TurnEvent> {
    yield event('6');
    throw new Error('Gone.');
  }
  const store = { subscribe: failing };
  const reader = turnEventsOf(store, Promise.resolve(begun), new Ending())[Symbol.asyncIterator]();
  await expect(reader.next()).rejects.toThrow('Gone.');
  expect(await reader.next()).toEqual({ done: true, value: undefined });
});

it('ends at a later turn’s output', async () => {
  const { store, reader } = readingOf([event('7', 'a'), event('8', 'b'), event('7', 'c')]);
  expect((await reader.next()).value).toMatchObject({ type: 'a' });
  expect(await reader.next()).toEqual({ done: true, value: undefined });
  expect(await reader.next()).toEqual({ done: true, value: undefined });
  expect(store.returned()).toBe(1);
});

it('fails once with what its output was lost for, and then ends', async () => {
  const lost = new Ending<unknown>();
  const { reader } = readingOf([event('7', 'a')], lost);
  lost.end(new Error('No output.'));
  await expect(reader.next()).rejects.toThrow('No output.');
  expect(await reader.next()).toEqual({ done: true, value: undefined });
});

it('fails with what its output was lost for before its turn began', async () => {
  const never = new Promise<OutputStart>(() => {});
  const lost = new Ending<unknown>();
  const reader = turnEventsOf(storeOf([]), never, lost)[Symbol.asyncIterator]();
  const asked = reader.next();
  lost.end(new Error('Refused.'));
  await expect(asked).rejects.toThrow('Refused.');
  expect(await reader.next()).toEqual({ done: true, value: undefined });
});

it('is left while it waits for its turn to begin', async () => {
  const never = new Promise<OutputStart>(() => {});
  const events = turnEventsOf(storeOf([]), never, new Ending());
  const reader = events[Symbol.asyncIterator]();
  const asked = [reader.next(), reader.next()];
  await reader.return?.();
  expect(await Promise.all(asked)).toEqual([
    { done: true, value: undefined },
    { done: true, value: undefined },
  ]);
});
