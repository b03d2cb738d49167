import { Ending } from '../../store/ending.ts';

/**
 * An iterator over a generator which `return` ends at once, also while it waits for its next value:
 * a generator alone would wait on, and its reader with it. It is told by `closed`.
 *
 * @param onEnd calls back when the iterator must end by itself; returns the way to stop that.
 */
export function closable<Value>(
  generate: (closed: Ending) => AsyncGenerator<Value>,
  onEnd: (close: () => void) => () => void,
): AsyncIterableIterator<Value> {
  const closed = new Ending();
  const close = () => closed.end(undefined);
  const unlisten = onEnd(close);
  const values = generate(closed);
  return {
    async next() {
      try {
        const result = await values.next();
        if (result.done) unlisten();
        return result;
      } catch (error) {
        unlisten();
        throw error;
      }
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
