import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyReply } from 'fastify';
import { systemClock } from 'holdfast';
import { expect, it, onTestFinished } from 'vitest';
import { EventStream, framed } from './event-stream.ts';
import { sliceBytes } from './streamed-body.ts';

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

it('lets others have the processor between two slices, though its connection takes all at once', async () => {
  const event = framed({ event: 'text', data: { text: 'x'.repeat(200) } });
  const count = (8 * sliceBytes) / event.length;
  let given = 0;
  let most = 0;
  const server = createServer(async (_, raw) => {
    const reply = { raw, hijack: () => {}, getHeaders: () => ({}) } as unknown as FastifyReply;
    const stream = new EventStream(reply, systemClock);
    stream.open();
    let last = 0;
    let isOver = false;
    const others = () => {
      most = Math.max(most, given - last);
      last = given;
      if (!isOver) setImmediate(others);
    };
    setImmediate(others);
    const next = async () => {
      given += 1;
      return given < count ? event : null;
    };
    await stream.relay(next(), next);
    isOver = true;
    await stream.end();
  });
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const [response] = await once(get({ port, host: '127.0.0.1', agent: false }), 'response');
  await once(response.resume(), 'end');
  expect(given).toBeGreaterThanOrEqual(count);
  expect(most * event.length).toBeLessThan(2 * sliceBytes);
});
