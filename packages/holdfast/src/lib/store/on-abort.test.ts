import { getEventListeners } from 'node:events';
import { expect, it, vi } from 'vitest';
import { onAbort } from './on-abort.ts';

it('has one listener for any number of those who wait', () => {
  const { signal, abort } = controller();
  const told = Array.from({ length: 50 }, () => vi.fn());
  for (const callback of told) onAbort(signal, callback);
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  abort();
  for (const callback of told) expect(callback).toHaveBeenCalledOnce();
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});

it('leaves no listener when nobody waits any more', () => {
  const { signal, abort } = controller();
  const callback = vi.fn();
  const first = onAbort(signal, callback);
  const second = onAbort(signal, callback);
  first();
  first();
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  second();
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  const third = onAbort(signal, callback);
  second();
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  abort();
  third();
  expect(callback).toHaveBeenCalledOnce();
});

it('does not tell somebody who left while the others were told', () => {
  const { signal, abort } = controller();
  const late = vi.fn();
  onAbort(signal, () => leave());
  const leave = onAbort(signal, late);
  abort();
  expect(late).not.toHaveBeenCalled();
});

it('tells at once of a signal that has aborted, and nothing without a signal', () => {
  const callback = vi.fn();
  onAbort(AbortSignal.abort(), callback)();
  onAbort(undefined, callback)();
  expect(callback).toHaveBeenCalledOnce();
});

function controller() {
  const own = new AbortController();
  return { signal: own.signal, abort: () => own.abort() };
}
