import { getEventListeners } from 'node:events';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ApiError, type Fetch, Http } from './http.ts';

/** A server that takes a request and says nothing, until the page gives it up. */
const silent: Fetch = (_url, { signal }) =>
  new Promise((_resolve, reject) => {
    const stop = () => reject(new DOMException('aborted', 'AbortError'));
    signal?.addEventListener('abort', stop);
    if (signal?.aborted) stop();
  });

/** The longest that a timer takes. */
const NEVER = 2 ** 31 - 1;

/** One that begins to answer, and no more. */
const half: Fetch = async (_url, { signal }) =>
  new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"half":'));
        signal?.addEventListener('abort', () => controller.error(new TypeError('aborted')));
      },
    }),
  );

it('leaves nothing behind that waits for a reply', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { signal } = new AbortController();
  await new Http(async () => new Response('{}')).json('GET', '/', { signal });
  expect(vi.getTimerCount()).toBe(0);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

describe('a reply that never comes', () => {
  it.each([
    ['at all', silent],
    ['to its end', half],
  ])('%s, is given up as one that was lost', async (_much, fetcher) => {
    const { signal } = new AbortController();
    const reply = new Http(fetcher, 'omit', 1).json('GET', '/', { signal });
    const error = await reply.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 0 });
  });

  it('is given up where it is to be read as it comes, and has not begun', async () => {
    const { signal } = new AbortController();
    const reply = new Http(silent, 'omit', NEVER).open('GET', '/', { signal }, 1);
    await expect(reply).rejects.toMatchObject({ name: 'ApiError', status: 0 });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('is read as it comes for as long as that takes, or until its caller leaves', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const late: Fetch = async (_url, { signal }) =>
      new Response(
        new ReadableStream({
          start(controller) {
            signal?.addEventListener('abort', () => controller.error(new TypeError('aborted')));
            setTimeout(() => {
              if (signal?.aborted) return;
              controller.enqueue(new TextEncoder().encode('{}'));
              controller.close();
            }, 60_000);
          },
        }),
      );
    const http = new Http(late, 'omit', 1);
    const caller = new AbortController();
    const { signal } = caller;
    const [stays, leaves] = [
      await http.open('GET', '/', { signal: new AbortController().signal }),
      await http.open('GET', '/', { signal }),
    ];
    const read = http.read(stays, new AbortController().signal);
    await vi.advanceTimersByTimeAsync(30_000);
    const left = http.read(leaves, signal);
    caller.abort('left');
    await expect(left).rejects.toBe('left');
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await read).toEqual({});
  });

  it('is waited for while some of it comes', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const slow: Fetch = async (_url, { signal }) => {
      const bytes = [...new TextEncoder().encode('{"name":"Kåri"}')];
      const body = new ReadableStream({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 900));
          const byte = bytes.shift();
          if (signal?.aborted) controller.error(new TypeError('aborted'));
          else if (byte === undefined) controller.close();
          else controller.enqueue(Uint8Array.of(byte));
        },
      });
      return new Response(body);
    };
    const { signal } = new AbortController();
    const reply = new Http(slow, 'omit', 1_000).json('GET', '/', { signal });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await reply).toEqual({ name: 'Kåri' });
  });

  it('is given up when its caller says so, with the reason that they gave', async () => {
    const caller = new AbortController();
    const reply = new Http(silent, 'omit', NEVER).json('GET', '/', { signal: caller.signal });
    caller.abort('left');
    await expect(reply).rejects.toBe('left');
    const again = new Http(silent, 'omit', NEVER).json('GET', '/', { signal: caller.signal });
    await expect(again, 'before it began').rejects.toBe('left');
  });
});
