import { type Figures, figure, type Quantity, type Unit, unitOf } from './figures.ts';
import type { SubjectOptions } from './local-subject.ts';
import { median } from './measuring.ts';
import type { Begin, Measure, Subject } from './subject.ts';

/** One thing to measure, again in each round. */
export interface Measurement {
  readonly name: string;
  readonly subject: string;
  readonly measure: Measure;
  readonly count: number;
}

export interface Target {
  readonly kind: 'at most' | 'at least';
  readonly value: number;
}

/** A line of the report: figures, and how they compare. */
export interface Row {
  readonly title: string;
  /** Names of measurements. */
  readonly figures: readonly string[];
  /** Which quantity of them; CPU time unless given. */
  readonly of?: Quantity;
  /** The second figure by the first, or the first by the second; none for one figure. */
  readonly compare?: 'growth' | 'speed';
  /** The median of each round's ratio instead: what else the machine does falls on both sides of it. */
  readonly byRound?: boolean;
  /** Names of two measurements whose own growth is taken out of this one. */
  readonly against?: readonly [string, string];
  /** For the ratio, or, in the figure's own unit, for that of a row with just one. None for what is only reported. */
  readonly target?: Target;
}

/** Subjects that exist at the same time, what is measured of them, and what that says. */
export interface Experiment {
  /** By which it can be selected; its store and a slash come first. */
  readonly name: string;
  readonly subjects: Readonly<Record<string, SubjectOptions>>;
  /** Measured one block after the other; within a block the measurements take turns. */
  readonly blocks: ReadonlyArray<readonly Measurement[]>;
  readonly rows: readonly Row[];
  /** Where more and shorter rounds than elsewhere are needed to see a small difference. */
  readonly rounds?: number;
}

export interface Result {
  readonly title: string;
  /** Medians of the rounds. */
  readonly figures: readonly number[];
  readonly unit: Unit;
  readonly ratio: number | null;
  /** Such as `≤ 1.5`; `null` for what is only reported. */
  readonly target: string | null;
  readonly met: boolean | null;
}

export const atMost = (value: number): Target => ({ kind: 'at most', value });
export const atLeast = (value: number): Target => ({ kind: 'at least', value });

/** Runs an experiment; `begin` makes its subjects. */
export async function runExperiment(
  { subjects, blocks, rows, rounds: own }: Experiment,
  usual: number,
  begin: Begin<SubjectOptions>,
): Promise<readonly Result[]> {
  const running = new Map<string, Subject>();
  const rounds = own ?? usual;
  try {
    for (const [name, options] of Object.entries(subjects)) running.set(name, await begin(options));
    const taken = new Taken();
    for (const block of blocks) {
      // The first round is for the compiler, and does not count.
      for (let round = 0; round <= rounds; round += 1) {
        // Back and forth, so that none of them always comes after the same other one.
        const inTurn = round % 2 === 0 ? block : block.toReversed();
        for (const { name, subject, measure, count } of inTurn) {
          const figures = await running.get(subject)?.measure(measure, count);
          if (round > 0 && figures !== undefined) taken.add(name, figures);
        }
      }
    }
    return rows.map((row) => resultOf(row, taken.of));
  } finally {
    for (const subject of running.values()) await subject.stop();
  }
}

/** The figures of all rounds. */
class Taken {
  readonly #figures = new Map<string, number[]>();

  add(name: string, figures: Figures): void {
    for (const [quantity, figure] of Object.entries(figures)) {
      const key = `${name} ${quantity}`;
      const others = this.#figures.get(key);
      if (others === undefined) this.#figures.set(key, [figure]);
      else others.push(figure);
    }
  }

  readonly of: FiguresOf = (name, quantity) => {
    const figures = this.#figures.get(`${name} ${quantity}`);
    if (figures === undefined) throw new Error(`The ${quantity} of ${name} was not measured.`);
    return figures;
  };
}

/** A measurement's figures for a quantity, round by round. */
type FiguresOf = (name: string, quantity: Quantity) => readonly number[];

export function resultOf(row: Row, figuresOf: FiguresOf): Result {
  const { title, of = 'cpu', compare, byRound = false, against, target } = row;
  const figures = row.figures.map((name) => median(figuresOf(name, of)));
  const [first = Number.NaN] = figures;
  const compared = (name: string) =>
    byRound ? figuresOf(name, of) : [median(figuresOf(name, of))];
  const [a = [], b = []] = row.figures.map(compared);
  let ratios = compare === 'speed' ? growths(b, a) : growths(a, b);
  if (against !== undefined) {
    const [from, to] = against;
    ratios = growths(growths(compared(from), compared(to)), ratios);
  }
  const ratio = compare === undefined ? null : median(ratios);
  const result = { title, figures, unit: unitOf(of), ratio };
  if (target === undefined) return { ...result, target: null, met: null };
  const { kind, value } = target;
  const reached = ratio ?? first;
  return {
    ...result,
    target: `${kind === 'at most' ? '≤' : '≥'} ${ratio === null ? figure(value, result.unit) : value}`,
    met: kind === 'at most' ? reached <= value : reached >= value,
  };
}

/** Round by round. */
function growths(before: readonly number[], after: readonly number[]): readonly number[] {
  return before.map((figure, round) => (after[round] ?? Number.NaN) / figure);
}
