import { onAbort } from './on-abort.ts';
/** Tells a generator that nobody reads it any more. */
export interface Closed {
  readonly signal: AbortSignal;
  /** Resolves, to `null`, when the signal aborts. */
  readonly promise: Promise<null>;
}

/**
 * An iterator over a generator which `return` ends at once, also while it waits for its next value:
 * a generator alone would wait on, and its reader with it. It ends with the signal, too.
 */
export function closable<Value>(
  generate: (closed: Closed) => AsyncGenerator<Value>,
  signal?: AbortSignal,
): AsyncIterableIterator<Value> {
  const controller = new AbortController();
  const promise = new Promise<null>((resolve) => {
    controller.signal.addEventListener('abort', () => resolve(null), { once: true });
  });
  const close = () => controller.abort(unread);
  const unlisten = onAbort(signal, close);
  const values = generate({ signal: controller.signal, promise });
  return {
    async next() {
      const result = await values.next();
      if (result.done) unlisten();
      return result;
    },
    async return() {
      close();
      unlisten();
      await values.return(undefined);
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Nobody gets to see it: without one, each abort would make an exception with its stack. */
const unread = new Error('Nobody reads it any more.');
