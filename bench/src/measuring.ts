/**
 * CPU time of the whole process, in nanoseconds for each of the inputs. Time on the CPU, because
 * that is what an operation costs whoever else uses the machine; of the whole process, because the
 * garbage collector's threads work for it too.
 */
export async function cpuTimePerOperation<Input>(
  inputs: readonly Input[],
  work: (inputs: readonly Input[]) => Promise<void>,
): Promise<number> {
  const before = process.cpuUsage();
  await work(inputs);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / inputs.length;
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
