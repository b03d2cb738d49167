import { StoreUnavailableError } from '../../errors/errors.ts';

interface Line {
  running: number;
  /** By `performance.now()`: when something was last done. */
  lastDone: number;
  readonly waiting: Set<() => void>;
}

/** Lets so many things of one name go on at a time, in the order of asking. */
export class Lines {
  readonly #atOnce: number;
  readonly #patienceMs: number;
  readonly #lines = new Map<string, Line>();

  /** @param patienceMs how long one waits in a line in which nothing gets done */
  constructor(atOnce: number, patienceMs: number) {
    this.#atOnce = atOnce;
    this.#patienceMs = patienceMs;
  }

  /**
   * @param work gets its deadline, by `performance.now()`
   * @throws StoreUnavailableError when it has not begun by then
   */
  async run<Result>(name: string, work: (deadline: number) => Promise<Result>): Promise<Result> {
    const line = this.#lines.get(name) ?? { running: 0, lastDone: 0, waiting: new Set() };
    const asked = performance.now();
    this.#lines.set(name, line);
    if (line.running < this.#atOnce) line.running += 1;
    else await this.#placeIn(line, asked);
    try {
      const result = await work(this.#deadline(line, asked));
      line.lastDone = performance.now();
      return result;
    } finally {
      // The place goes to the next one, or is given up.
      const [next] = line.waiting;
      if (next !== undefined) next();
      else line.running -= 1;
      if (line.running === 0) this.#lines.delete(name);
    }
  }

  #deadline({ lastDone }: Line, asked: number): number {
    return Math.max(asked, lastDone) + this.#patienceMs;
  }

  #placeIn(line: Line, asked: number): Promise<void> {
    const { waiting } = line;
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout;
      const leave = () => {
        clearTimeout(timer);
        waiting.delete(go);
      };
      const go = () => {
        leave();
        resolve();
      };
      const watch = () => {
        const leftMs = this.#deadline(line, asked) - performance.now();
        if (leftMs > 0) {
          timer = setTimeout(watch, leftMs);
          return;
        }
        leave();
        reject(
          new StoreUnavailableError('The writes to this session that were ahead do not get done.'),
        );
      };
      waiting.add(go);
      watch();
    });
  }
}
