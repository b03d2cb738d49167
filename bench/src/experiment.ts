import type { SubjectOptions } from './local-subject.ts';
import { median } from './measuring.ts';
import type { Experiment, Row } from './plan.ts';
import type { Subject } from './subject.ts';

export interface Result {
  readonly title: string;
  /** Medians of the rounds, in nanoseconds of CPU time for one operation. */
  readonly figures: readonly number[];
  readonly ratio: number | null;
  /** Such as `≤ 1.5`; `null` for what is only reported. */
  readonly target: string | null;
  readonly met: boolean | null;
}

/** Runs an experiment; `begin` makes its subjects. */
export async function runExperiment(
  { subjects, blocks, rows }: Experiment,
  rounds: number,
  begin: (options: SubjectOptions) => Promise<Subject>,
): Promise<readonly Result[]> {
  const running = new Map<string, Subject>();
  try {
    for (const [name, options] of Object.entries(subjects)) running.set(name, await begin(options));
    const medians = new Map<string, number>();
    for (const block of blocks) {
      const taken = new Map<string, number[]>(block.map(({ name }) => [name, []]));
      // The first round is for the compiler, and does not count.
      for (let round = 0; round <= rounds; round += 1) {
        for (const { name, subject, measure, count } of block) {
          const figure = await running.get(subject)?.measure(measure, count);
          if (round > 0 && figure !== undefined) taken.get(name)?.push(figure);
        }
      }
      for (const [name, figures] of taken) medians.set(name, median(figures));
    }
    return rows.map((row) => resultOf(row, medians));
  } finally {
    for (const subject of running.values()) await subject.stop();
  }
}

export function resultOf(row: Row, medians: ReadonlyMap<string, number>): Result {
  const { title, compare, against, target } = row;
  const figures = row.figures.map((name) => figureOf(name, medians));
  const [first = Number.NaN, second = Number.NaN] = figures;
  let ratio = compare === undefined ? null : compare === 'growth' ? second / first : first / second;
  if (ratio !== null && against !== undefined) {
    const [from, to] = against;
    ratio /= figureOf(to, medians) / figureOf(from, medians);
  }
  if (ratio === null || target === undefined) {
    return { title, figures, ratio, target: null, met: null };
  }
  const atMost = target.kind === 'at most';
  return {
    title,
    figures,
    ratio,
    target: `${atMost ? '≤' : '≥'} ${target.ratio}`,
    met: atMost ? ratio <= target.ratio : ratio >= target.ratio,
  };
}

function figureOf(name: string, medians: ReadonlyMap<string, number>): number {
  const figure = medians.get(name);
  if (figure === undefined) throw new Error(`Nothing was measured under the name ${name}.`);
  return figure;
}
