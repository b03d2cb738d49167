import type { AskedTerm } from './question.ts';

/** A name that no article has weighs more than any word: the question is about somebody else. */
const nameWeight = 2;
/** Numbers are mostly a customer's own. */
const numberWeight = 0.5;
/** A story's words are little evidence that its section was found, and hardly any that it was not. */
const everydayFound = 0.6;
const everydayMissing = 0.1;

/** Of the words that are missing each further one weighs less, or no long story would have an answer. */
const missingDecay = 0.5;
/** As if this weight were always missing: one word alone proves little. */
const doubt = 0.3;
/** … and words of a story alone, whatever they are, prove less. */
const everydayDoubt = 0.6;
/** What a missing word counts against one found, so that as likely as not comes to 0.5. */
const missingCount = 0.8;

/** The part that the heading has in the whole, for it says what its section is about. */
const headingPart = 0.3;

/** How well a section has a word of the question. */
export interface Match {
  readonly asked: AskedTerm;
  /** From 0, not at all, to 1, as it was written. */
  readonly match: number;
}

/**
 * The part of what was asked that a section has, rare words counting more, from 0 to 1.
 *
 * @param heading the section's heading as terms.
 * @param rarity from 0 to 1, for a term that no section has.
 */
export function coverageOf(
  matches: readonly Match[],
  heading: readonly string[],
  rarity: (term: string) => number,
): number {
  let found = 0;
  const isStory = matches.every(({ asked }) => asked.kind === 'everyday');
  const missing: number[] = [];
  for (const { asked, match } of matches) {
    const weight = weightOf(asked, match) * rarity(asked.term);
    found += weight * match;
    missing.push(weight * (1 - match));
  }
  const lacking = missing
    .sort((a, b) => b - a)
    .reduce(
      (sum, weight, index) => sum + weight / (1 + missingDecay * index),
      isStory ? everydayDoubt : doubt,
    );
  const share = found / (found + missingCount * lacking);
  const named = Math.min(1, 2 * share) * headingShare(matches, heading, rarity);
  return (1 - headingPart) * share + headingPart * named;
}

function weightOf({ kind }: AskedTerm, match: number): number {
  if (kind === 'everyday') return match > 0 ? everydayFound : everydayMissing;
  return kind === 'name' ? nameWeight : kind === 'number' ? numberWeight : 1;
}

/** How much of the heading the question has. */
function headingShare(
  matches: readonly Match[],
  heading: readonly string[],
  rarity: (term: string) => number,
): number {
  let said = 0;
  let all = 0;
  for (const term of heading) {
    const weight = rarity(term);
    all += weight;
    said += weight * Math.max(0, ...matches.map(({ asked }) => standsFor(asked, term)));
  }
  return all === 0 ? 0 : said / all;
}

function standsFor({ term, certainty, substitutes }: AskedTerm, other: string): number {
  if (term === other) return certainty;
  const fitting = substitutes.filter(({ terms }) => terms.includes(other));
  return certainty * Math.max(0, ...fitting.map(({ match }) => match));
}
