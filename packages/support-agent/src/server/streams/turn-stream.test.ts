import type { TurnEvent } from 'holdfast';
import { FakeClock } from 'holdfast/testing';
import { expect, it } from 'vitest';
import type { StartedMessage } from '../../agent/customer-support-agent.ts';
import { eventsOf, MessageEvents } from './turn-stream.ts';

const reply = Promise.resolve({}) as StartedMessage['reply'];

async function* after(events: readonly TurnEvent[], then: Promise<unknown>) {
  yield* events;
  await then;
}

const eventOf = (seq: number): TurnEvent => ({ seq, turnId: 't', createdAt: 0, type: 'text' });

it('frames an event once for all who watch it', async () => {
  let framed = 0;
  const event = {
    ...eventOf(7),
    get text() {
      framed += 1;
      return 'Hi';
    },
  };
  const readers = Array.from({ length: 3 }, () => eventsOf(after([event], Promise.resolve())));
  const texts = await Promise.all(readers.map((next) => next()));
  expect(new Set(texts)).toEqual(new Set([expect.stringMatching(/^id: 7\nevent: text\n.*"Hi"/)]));
  expect(framed).toBe(1);
  expect(await Promise.all(readers.map((next) => next()))).toEqual([null, null, null]);
});

it('gives what is left of a turn to a reader who takes long over it, after its reply too', async () => {
  const clock = new FakeClock();
  const stored = [1, 2, 3].map(eventOf);
  const events = new MessageEvents({ events: after(stored, Promise.resolve()), reply }, clock);
  for (const { seq } of stored) {
    expect(await events.next()).toMatch(`id: ${seq}\n`);
    await clock.advance(5_000);
  }
  expect(await events.next()).toBeNull();
  events.close();
  expect(clock.timers).toBe(0);
});

it('waits a second for an event that does not come, from the reply on', async () => {
  const clock = new FakeClock();
  let tell = () => {};
  const told = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const later = told.then(() => reply);
  const never = new Promise(() => {});
  const events = new MessageEvents({ events: after([], never), reply: later }, clock);
  let given: unknown = 'waiting';
  void events.next().then((event) => {
    given = event;
  });
  await clock.advance(60_000);
  tell();
  await clock.advance(999);
  expect(given).toBe('waiting');
  await clock.advance(1);
  expect([given, clock.timers]).toEqual([null, 0]);
});
