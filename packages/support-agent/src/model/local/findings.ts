import { articleOf, type Passage } from '../../knowledge/passage.ts';
import { partSaid, sharesWord, wordsOf } from '../../knowledge/question.ts';
import { contentTerms } from '../../knowledge/terms.ts';
import { confidenceIn, fits, tieWith } from '../confidence.ts';
import { canBeAsked, isLabelOf } from './choice.ts';
import { asksMoreOf, goesOn, refersBack, type Topic } from './follow-up.ts';
import { asksForSomething, type Question, queriesFor } from './question.ts';

/** A section that follows up on another question has this part of the new one's words, or more. */
const minPartSaid = 0.5;

/** … and is this sure or surer, against the best that was found without the topic: it has more to cover. */
const minSureness = 0.8;

/** What may be a question of its own or a part of one is its own if what was found is as sure as this. */
const minSureApart = 0.6;

/** What is asked with such a word has an answer of another kind than yes or no. */
const asksFor = /\b(?:how|what|whats|when|where|which|who|why)\b(?! if)/i;

/** A section, and what it answers. */
interface Cited {
  readonly passage: Passage;
  readonly question: string;
}

/** What a turn's searches come to. */
export type Finding =
  | {
      readonly kind: 'answer';
      readonly cited: readonly Cited[];
      /** Whether it answers all that was asked. */
      readonly isWhole: boolean;
      readonly confidence: number;
    }
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
  if (other === undefined || !canBeAsked([best, other])) {
    return answerFrom([{ passage: best, question }]);
  }
  // Whoever writes a heading means it.
  const named = [best, other].find(({ heading }) => sameTerms(heading, question));
  if (named !== undefined || !mayTie) return answerFrom([{ passage: named ?? best, question }]);
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
  { cited, isMeant, isBound }: Topic,
): Finding {
  const alone = judge(own, question, true);
  if (alone.kind === 'answer' && !isMeant) return alone;
  const other = alone.kind === 'answer' ? alone.cited[0]?.passage : undefined;
  const isAtHome = ({ id }: Passage) => cited !== null && articleOf(id) === articleOf(cited.id);
  // What names all that it is about may leave the topic, however it is worded.
  const saysAll = wordsOf(question).length > 1;
  const isNew = other !== undefined && saysAll && partIn(other, question) === 1;
  const isHeld = isBound && cited !== null && !isNew;
  const likely = candidatesFor(together, question, cited);
  const best = likely.find(isAtHome) ?? (isHeld ? undefined : likely[0]);
  if (best !== undefined) {
    const isRival = other !== undefined && !isHeld && !isAtHome(other);
    if (!isRival || best.coverage >= alone.confidence * minSureness) {
      return answerFrom([{ passage: best, question }]);
    }
  }
  // An answer about something else would be worse than none.
  return isHeld ? { kind: 'nothing', confidence: alone.confidence / 2 } : alone;
}

/**
 * The sections that may go on from the topic, the likeliest first. What has hardly more than the topic's
 * words was said already, or does not answer this.
 */
function candidatesFor(
  together: readonly Passage[],
  question: string,
  cited: Passage | null,
): readonly Passage[] {
  const found = together
    .filter((passage) => fits(passage) && passage.id !== cited?.id)
    .map((passage) => ({ passage, part: partIn(passage, question) }))
    .filter(({ part, passage }) => part >= minPartSaid && mayAnswer(passage, question))
    .map((one) => ({ ...one, rank: one.part + partSaid(question, one.passage.heading) }))
    .sort((a, b) => b.rank - a.rank);
  const part = cited === null ? 0 : partIn(cited, question);
  if (cited === null || part < minPartSaid) return found.map(({ passage }) => passage);
  const again = together.find(({ id }) => id === cited.id)?.coverage ?? 0;
  const known = { ...cited, coverage: Math.max(again, Math.min(cited.coverage, part)) };
  // The section that the conversation is at is left only for one that has more of the message.
  const isBetter = (one: (typeof found)[number]) => one.part > part;
  const better = found.filter(isBetter).map(({ passage }) => passage);
  const others = found.filter((one) => !isBetter(one)).map(({ passage }) => passage);
  return [...better, known, ...others];
}

/**
 * "How long" is answered by days, but what is asked with yes or no is hardly answered by words of the same
 * meaning alone.
 */
function mayAnswer({ heading, text }: Passage, question: string): boolean {
  return asksFor.test(question) || sharesWord(question, `${heading}\n${text}`);
}

function partIn({ heading, text }: Passage, question: string): number {
  return partSaid(question, `${heading}\n${text}`);
}

/** What was found for labels that the customer picked, in their order. */
export function judgePicked(
  found: readonly (readonly Passage[])[],
  labels: readonly string[],
): Finding {
  const cited = labels.flatMap((label, index) => {
    const passage = found[index]?.find((candidate) => isLabelOf(label, candidate));
    return passage === undefined ? [] : [{ passage, question: passage.heading }];
  });
  return cited.length === 0 ? { kind: 'nothing', confidence: 0 } : answerFrom(cited);
}

/**
 * What was found for a message of several questions, for the whole of it and for each of their queries, in
 * their order. Where none has an answer by itself, or one has none that may not be a question, the whole may
 * have one.
 */
export function judgeSeveral(
  whole: readonly Passage[],
  found: readonly (readonly Passage[])[],
  message: string,
  questions: readonly Question[],
  mayTie: boolean,
): Finding {
  const judged = judgeEach(found, questions);
  const answers = judged.flatMap(({ finding }) => (finding.kind === 'answer' ? [finding] : []));
  const isSplitWrongly = judged.some(
    ({ question: { isSure, lead }, finding }) =>
      !isSure &&
      (finding.kind !== 'answer' || (lead === null && finding.confidence < minSureApart)),
  );
  if (answers.length === 0 || isSplitWrongly) return judge(whole, message, mayTie);
  const sections = new Map<string, Cited>();
  for (const one of answers.flatMap(({ cited }) => cited)) {
    const same = sections.get(one.passage.id);
    const question = same === undefined ? one.question : `${same.question} ${one.question}`;
    sections.set(one.passage.id, { ...one, question });
  }
  const answered = judged.flatMap(({ answers: texts }) => texts);
  const missing = questions.filter((one) => !answered.includes(one.text) && asksForSomething(one));
  return answerFrom([...sections.values()], missing.length === 0);
}

/** What each question comes to, and the texts of those that this answers. */
function judgeEach(found: readonly (readonly Passage[])[], questions: readonly Question[]) {
  const rest = [...found];
  let cited: Passage | null = null;
  return questions.map((question) => {
    const [own = [], together = []] = rest.splice(0, queriesFor(question).length);
    const { text, lead } = question;
    const isBound = refersBack(text) || asksMoreOf(text);
    const finding =
      lead === null
        ? judge(own, text, false)
        : judgeFollowUp(own, together, text, {
            text: lead,
            cited,
            isMeant: isBound || goesOn(text),
            isBound,
          });
    const best = finding.kind === 'answer' ? (finding.cited[0]?.passage ?? null) : null;
    if (lead === null) cited = best;
    // What was not found for the question alone was found for its lead, too.
    const answers = best === null ? [] : own.includes(best) ? [text] : [text, lead];
    return { question, finding, answers };
  });
}

function answerFrom(cited: readonly Cited[], isWhole = true): Finding {
  const confidence = confidenceIn(cited.map(({ passage }) => passage));
  return { kind: 'answer', cited, isWhole, confidence };
}

function sameTerms(heading: string, question: string): boolean {
  const terms = new Set(contentTerms(heading));
  const asked = contentTerms(question);
  return asked.length === terms.size && asked.every((term) => terms.has(term));
}
