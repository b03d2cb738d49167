import type { SessionManager } from '../../manager/session-manager.ts';

export interface Experiment {
  readonly name: string;
  /** Reads what is kept in this process. */
  readonly needsL1?: true;
  /** How many of it run at once. */
  readonly atOnce: number;
  /** What is there before it. @returns what is repeated, by the number of who repeats it */
  readonly prepare: (sessions: SessionManager) => Promise<(worker: number) => Promise<unknown>>;
}

export interface Measured {
  readonly name: string;
  readonly count: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Of an experiment's time, what is not counted: connections and code get warm. */
const warmUp = 0.2;

/** Repeats an experiment for so long, in ms. */
export async function measure(
  { name, atOnce, prepare }: Experiment,
  sessions: SessionManager,
  { ms, signal }: { readonly ms: number; readonly signal: AbortSignal },
): Promise<Measured> {
  signal.throwIfAborted();
  const once = await prepare(sessions);
  const began = performance.now();
  const [counted, end] = [began + ms * warmUp, began + ms];
  const taken: number[] = [];
  let last = counted;
  const work = async (worker: number) => {
    for (let now = performance.now(); now < end && !signal.aborted; now = performance.now()) {
      await once(worker);
      const after = performance.now();
      if (now < counted) continue;
      taken.push(after - now);
      last = Math.max(last, after);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, (_, worker) => work(worker)));
  signal.throwIfAborted();
  taken.sort((one, other) => one - other);
  const quantile = (part: number) => taken[Math.floor(part * (taken.length - 1))] ?? 0;
  const perSecond = taken.length === 0 ? 0 : (taken.length * 1000) / (last - counted);
  return { name, count: taken.length, perSecond, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
}
