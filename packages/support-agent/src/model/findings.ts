import type { Passage } from '../knowledge/passage.ts';
import { partSaid } from '../knowledge/question.ts';
import { contentTerms } from '../knowledge/terms.ts';
import { isLabelOf } from './choice.ts';
import { confidenceIn, fits, tieWith } from './confidence.ts';
import type { Topic } from './follow-up.ts';

/** A section that follows up on another question has this part of the new one's words, or more. */
const minPartSaid = 0.5;

/** … and is this sure or surer, against the best that was found without the topic: it has more to cover. */
const minSureness = 0.8;

/** What a turn's searches come to. */
export type Finding =
  | { readonly kind: 'answer'; readonly passages: readonly Passage[]; readonly confidence: number }
  | {
      readonly kind: 'tie';
      readonly passages: readonly [Passage, Passage];
      readonly confidence: number;
    }
  | { readonly kind: 'nothing'; readonly confidence: number };

/** What was found, best first, for a question in the customer's own words. */
export function judge(found: readonly Passage[], question: string, mayTie: boolean): Finding {
  const [best] = found;
  if (best === undefined || !fits(best)) {
    return { kind: 'nothing', confidence: best?.coverage ?? 0 };
  }
  const other = tieWith(best, found);
  if (other === undefined) return answerFrom([best]);
  // Whoever writes a heading means it.
  const named = [best, other].find(({ heading }) => sameTerms(heading, question));
  if (named !== undefined || !mayTie) return answerFrom([named ?? best]);
  // The two are equally likely.
  return { kind: 'tie', passages: [best, other], confidence: confidenceIn([best, other]) / 2 };
}

/**
 * What was found for a message that may go on from what was said before.
 *
 * @param own for its own words.
 * @param together for them with the topic's.
 */
export function judgeFollowUp(
  own: readonly Passage[],
  together: readonly Passage[],
  question: string,
  { isMeant }: Topic,
): Finding {
  const alone = judge(own, question, true);
  if (alone.kind === 'answer' && !isMeant) return alone;
  // What has hardly more than the topic's words was said already, or does not answer this.
  const said = (text: string) => partSaid(question, text);
  const [best] = together
    .filter(fits)
    .map((passage) => ({ passage, part: said(`${passage.heading}\n${passage.text}`) }))
    .filter(({ part }) => part >= minPartSaid)
    .map(({ passage, part }) => ({ passage, part: part + said(passage.heading) }))
    .sort((a, b) => b.part - a.part)
    .map(({ passage }) => passage);
  const isLikely = best !== undefined && best.coverage >= alone.confidence * minSureness;
  return isLikely ? answerFrom([best]) : alone;
}

/** What was found for labels that the customer picked, in their order. */
export function judgePicked(
  found: readonly (readonly Passage[])[],
  labels: readonly string[],
): Finding {
  const passages = labels.flatMap((label, index) => {
    const passage = found[index]?.find((candidate) => isLabelOf(label, candidate));
    return passage === undefined ? [] : [passage];
  });
  return passages.length === 0 ? { kind: 'nothing', confidence: 0 } : answerFrom(passages);
}

function answerFrom(passages: readonly Passage[]): Finding {
  return { kind: 'answer', passages, confidence: confidenceIn(passages) };
}

function sameTerms(heading: string, question: string): boolean {
  const terms = new Set(contentTerms(heading));
  const asked = contentTerms(question);
  return asked.length === terms.size && asked.every((term) => terms.has(term));
}
