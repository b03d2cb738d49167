import type { Clock } from 'holdfast';

/** What the work comes to, or `late` if that takes longer than `ms`. The work goes on all the same. */
export async function within<Result>(
  ms: number,
  clock: Clock,
  work: Promise<Result>,
): Promise<Result | 'late'> {
  let cancel = () => {};
  const timeUp = new Promise<'late'>((resolve) => {
    cancel = clock.setTimer(ms, () => resolve('late'));
  });
  try {
    return await Promise.race([work, timeUp]);
  } finally {
    cancel();
  }
}
