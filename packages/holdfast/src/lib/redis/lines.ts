import { StoreUnavailableError } from '../errors/errors.ts';

interface Line {
  running: number;
  readonly waiting: Set<() => void>;
}

/** Lets so many things of one name go on at a time, in the order of asking. */
export class Lines {
  readonly #atOnce: number;
  readonly #lines = new Map<string, Line>();

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /**
   * @param deadline by `performance.now()`: what has not begun by then does not begin
   * @throws StoreUnavailableError
   */
  async run<Result>(name: string, deadline: number, work: () => Promise<Result>): Promise<Result> {
    const line = this.#lines.get(name) ?? { running: 0, waiting: new Set() };
    this.#lines.set(name, line);
    if (line.running < this.#atOnce) line.running += 1;
    else await placeIn(line, deadline);
    try {
      return await work();
    } finally {
      // The place goes to the next one, or is given up.
      const [next] = line.waiting;
      if (next !== undefined) next();
      else line.running -= 1;
      if (line.running === 0) this.#lines.delete(name);
    }
  }
}

function placeIn({ waiting }: Line, deadline: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      clearTimeout(timer);
      waiting.delete(go);
    };
    const go = () => {
      leave();
      resolve();
    };
    const timer = setTimeout(
      () => {
        leave();
        reject(new StoreUnavailableError('Too many writes to one session were ahead of this one.'));
      },
      Math.max(0, deadline - performance.now()),
    );
    waiting.add(go);
  });
}
