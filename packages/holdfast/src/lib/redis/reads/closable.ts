import { Ending } from '../../store/ending.ts';

/**
 * An iterator over a generator which `return` ends at once, whatever it waits for: a generator alone
 * would wait on, and its reader with it. It is told by `closed`, and ends when it hears of that; what it
 * comes to then is nobody's any more.
 *
 * @param onEnd calls back when the iterator must end by itself; returns the way to stop that.
 */
export function closable<Value>(
  generate: (closed: Ending) => AsyncGenerator<Value>,
  onEnd: (close: () => void) => () => void,
): AsyncIterableIterator<Value, undefined> {
  const closed = new Ending();
  const values = generate(closed);
  let unlisten = () => {};
  const close = () => {
    if (closed.ended !== null) return;
    closed.end(undefined);
    unlisten();
    values.return(undefined).catch(() => {});
  };
  unlisten = onEnd(close);
  const over = { done: true, value: undefined } as const;
  return {
    next() {
      return new Promise((resolve, reject) => {
        const left = () => resolve(over);
        const unhear = closed.onEnd(left);
        if (closed.ended !== null) return;
        values.next().then(
          (result) => {
            unhear();
            if (result.done) close();
            resolve(result.done ? over : result);
          },
          (error) => {
            unhear();
            close();
            reject(error);
          },
        );
      });
    },
    async return() {
      close();
      return over;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
