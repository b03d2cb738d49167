import { describe, expect, it } from 'vitest';
import { EventParser, readEvents, type StreamEvent } from './event-stream.ts';

const parse = (...pieces: string[]) => {
  const parser = new EventParser();
  return pieces.flatMap((piece) => parser.push(piece));
};
const data = (events: readonly StreamEvent[]) => events.map((event) => event.data);

describe('EventParser', () => {
  it('reads id, type and data, and a default type', () => {
    expect(parse('id: 7\nevent: text\ndata: {"a":1}\n\ndata: plain\n\n')).toEqual([
      { id: '7', type: 'text', data: '{"a":1}' },
      { id: '7', type: 'message', data: 'plain' },
    ]);
  });

  it('joins data of several lines, and keeps all but one leading space', () => {
    expect(data(parse('data: one\ndata:  two\ndata\ndata:three\n\n'))).toEqual([
      'one\n two\n\nthree',
    ]);
  });

  it('passes over comments, unknown fields and events without data', () => {
    expect(parse(': keep open\nretry: 10\nwhatever\nevent: text\n\n:\n\n')).toEqual([]);
  });

  it.each([
    ['\n', 'LF'],
    ['\r', 'CR'],
    ['\r\n', 'CRLF'],
  ])('takes every line end (%j)', (end) => {
    const text = ['id: 1', 'data: a', '', 'data: b', 'data: c', '', ''].join(end);
    expect(data(parse(`${text}:${end}`))).toEqual(['a', 'b\nc']);
  });

  it('gives the same events wherever the text is cut', () => {
    const text = ': hi\r\nid: 12\r\nevent: text\r\ndata: one\r\ndata: two\r\n\r\ndata: last\n\n';
    const whole = parse(text);
    expect(data(whole)).toEqual(['one\ntwo', 'last']);
    for (let cut = 1; cut < text.length; cut += 1) {
      expect(parse(text.slice(0, cut), text.slice(cut)), `cut at ${cut}`).toEqual(whole);
    }
    expect(parse(...text)).toEqual(whole);
  });

  it('forgets what no blank line has closed', () => {
    expect(data(parse('data: whole\n\ndata: cut off\n'))).toEqual(['whole']);
  });

  it('drops a byte order mark at the beginning only', () => {
    expect(data(parse('\uFEFFdata: a\n\n', '\uFEFFdata: b\n\n'))).toEqual(['a']);
  });

  it('does not take an id with a null character', () => {
    expect(parse('id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n').map(({ id }) => id)).toEqual(['1', '1']);
  });
});

describe('readEvents', () => {
  const streamOf = (...chunks: Uint8Array[]) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk);
        controller.close();
      },
    });

  async function collect(body: ReadableStream<Uint8Array>) {
    const events: StreamEvent[] = [];
    for await (const event of readEvents(body)) events.push(event);
    return data(events);
  }

  it('puts characters together that are cut between two chunks', async () => {
    const bytes = new TextEncoder().encode('data: Fjell – fjøll 🏔️\n\n');
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const body = streamOf(bytes.slice(0, cut), bytes.slice(cut));
      expect(await collect(body), `cut at ${cut}`).toEqual(['Fjell – fjøll 🏔️']);
    }
  });

  it('throws what breaks the stream, after what had come', async () => {
    const broken = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (seen.length === 0) controller.enqueue(new TextEncoder().encode('data: a\n\n'));
          else controller.error(new Error('reset'));
        },
      },
      { highWaterMark: 0 },
    );
    const seen: string[] = [];
    const reading = (async () => {
      for await (const event of readEvents(broken)) seen.push(event.data);
    })();
    await expect(reading).rejects.toThrow('reset');
    expect(seen).toEqual(['a']);
  });

  it('gives a silent stream up, and cancels it', async () => {
    let cancelled = false;
    const silent = new ReadableStream<Uint8Array>({
      cancel() {
        cancelled = true;
      },
    });
    await expect(readEvents(silent, 5).next()).rejects.toThrow('silent');
    expect(cancelled).toBe(true);
  });

  it('cancels the stream when its reader leaves', async () => {
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode('data: a\n\n')),
      cancel() {
        cancelled = true;
      },
    });
    for await (const _ of readEvents(endless)) break;
    expect(cancelled).toBe(true);
  });
});
