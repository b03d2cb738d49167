import { expect, it } from 'vitest';
import { prefersEventStream } from './accept.ts';

it.each([
  ['text/event-stream'],
  ['Text/Event-Stream'],
  ['text/event-stream; charset=utf-8'],
  ['text/event-stream, */*;q=0.1'],
  ['application/json;q=0.5, text/event-stream'],
  ['application/json, text/event-stream'],
])('streams to %j', (accept) => {
  expect(prefersEventStream(accept)).toBe(true);
});

it.each([
  [undefined],
  [''],
  ['*/*'],
  ['text/*'],
  ['application/json'],
  ['application/json, text/event-stream;q=0.9'],
  ['text/event-stream;q=0'],
  ['text/event-stream;q=x'],
  ['text/event-streams'],
])('answers %j with JSON', (accept) => {
  expect(prefersEventStream(accept)).toBe(false);
});
