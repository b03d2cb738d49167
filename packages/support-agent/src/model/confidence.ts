import type { Passage } from '../knowledge/passage.ts';

/** Below this share of the question's words, a passage is about something else. */
export const minCoverage = 0.5;

/** Two articles tie when the second one has at least these parts of what the first one has. */
const tie = { score: 0.94, coverage: 0.85 };

/** Whether a passage may be an answer. */
export function fits({ coverage }: Pick<Passage, 'coverage'>): boolean {
  return coverage >= minCoverage;
}

/** How sure an answer is that rests on these passages: as sure as its weakest. */
export function confidenceIn(passages: readonly Pick<Passage, 'coverage'>[]): number {
  return Math.min(...passages.map(({ coverage }) => coverage));
}

/** The passage of another article that fits the question as well as the best one, if there is one. */
export function tieWith(best: Passage, passages: readonly Passage[]): Passage | undefined {
  const second = passages.find((passage) => articleOf(passage) !== articleOf(best));
  if (second === undefined || !fits(second)) return undefined;
  const isTie =
    second.score >= best.score * tie.score && second.coverage >= best.coverage * tie.coverage;
  return isTie ? second : undefined;
}

function articleOf({ id }: Passage): string {
  return id.split('#', 1)[0] ?? id;
}
