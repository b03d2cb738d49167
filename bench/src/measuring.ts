import type { Figures } from './figures.ts';

/**
 * CPU time of the whole process, in nanoseconds for each of the inputs. Time on the CPU, because
 * that is what an operation costs whoever else uses the machine; of the whole process, because the
 * garbage collector's threads work for it too.
 */
export async function cpuTimePerOperation<Input>(
  inputs: readonly Input[],
  work: (inputs: readonly Input[]) => Promise<void>,
): Promise<Figures> {
  const before = process.cpuUsage();
  await work(inputs);
  return { cpu: cpuTimeSince(before) / inputs.length };
}

/** `count` operations, always `atOnce` of them under way, by the clock on the wall. */
export async function loadOf(
  count: number,
  atOnce: number,
  operation: (index: number) => Promise<unknown>,
): Promise<Figures> {
  const times = new Float64Array(count);
  const cpuBefore = process.cpuUsage();
  const begin = performance.now();
  await concurrently(count, atOnce, async (index) => {
    const from = performance.now();
    await operation(index);
    times[index] = performance.now() - from;
  });
  const elapsedMs = performance.now() - begin;
  const cpu = cpuTimeSince(cpuBefore) / count;
  times.sort();
  const percentile = (part: number) => (times[Math.ceil(count * part) - 1] ?? Number.NaN) * 1e6;
  return {
    rate: (count / elapsedMs) * 1e3,
    time: (elapsedMs / count) * 1e6,
    p50: percentile(0.5),
    p99: percentile(0.99),
    cpu,
  };
}

/** Runs the operations 0 to `count` - 1 in this order, always `atOnce` of them under way. */
export async function concurrently(
  count: number,
  atOnce: number,
  operation: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const runSome = async () => {
    while (next < count) await operation(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, runSome));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const [low = Number.NaN, high = low] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return (low + high) / 2;
}

/** Leaves what was made for a measurement out of it. Does nothing without `--expose-gc`. */
export function collectYoungGarbage(): void {
  globalThis.gc?.({ type: 'minor' });
}

function cpuTimeSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1_000;
}
