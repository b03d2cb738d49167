import { expect, it } from 'vitest';
import { framed } from './event-stream.ts';

it('frames an event as EventSource reads it', () => {
  expect(framed({ id: 7, event: 'text', data: { text: 'Hi' }, retry: 1_000 })).toBe(
    'id: 7\nevent: text\nretry: 1000\ndata: {"text":"Hi"}\n\n',
  );
  expect(framed({ event: 'reply', data: {} })).toBe('event: reply\ndata: {}\n\n');
});

it.each(['a\nb', 'a\r\nb', 'a\rb', 'a\n\nevent: fake\n\n', '\u2028'])(
  'keeps %j of a text inside its event',
  (text) => {
    const lines = framed({ event: 'text', data: { text } }).split(/\r\n|\r|\n/);
    expect(lines).toEqual(['event: text', expect.stringMatching(/^data: /), '', '']);
    expect(JSON.parse(lines[1]?.slice('data: '.length) ?? '')).toEqual({ text });
  },
);

it('keeps the name of an event on its line', () => {
  expect(framed({ event: 'a\r\ndata: fake', data: {} })).toBe('event: a  data: fake\ndata: {}\n\n');
});
