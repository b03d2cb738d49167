import type { Passage } from '../../knowledge/passage.ts';
import { wordsOf } from '../../knowledge/question.ts';
import { contentTerms } from '../../knowledge/terms.ts';
import { searchKnowledge, searchResult } from '../../tools/search-knowledge.ts';
import type { Dialogue } from '../dialogue.ts';
import { plainText } from '../plain-text.ts';
import { findFacts } from './find-facts.ts';
import { quotes } from './sentences.ts';
import { smallTalkReply } from './small-talk.ts';

/** How a message begins that goes on from the one before. */
const opening =
  /^(?:and|but|so|also|or|then|(?:what|how) about|what (?:if|else|when)|even (?:if|when)|if)\b/i;
/** … and asks the same of something else. */
const likewise = /^(?:(?:and|but|so|or) )?(?:what|how) about\b/i;
/** What stands for something that was named before. */
const reference = /\b(?:its?|that|thats|this|they|them|these|those|there|ones?)\b/i;
/** … and what looks like it, and stands for nothing. */
const expletive =
  /\b(?:is|are|was|were) there\b|\bis it (?:possible|true|(?:al)?right|ok(?:ay)?|allowed)\b/gi;
/** How a message begins, or ends, that denies what was said before. */
const denial = /^(?:nope|not|nor|neither|none|nothing)\b|\b(?:either|neither)[ .!?]*$/i;

/** A question, of however few words. */
const asks = /^(?:how|what|when|where|which|who|why)\b/i;

/** What asks for a property of whatever was named before: "who pays", "how long", "what does that cost". */
const asksForAspect =
  /^(?:(?:and|but|so|also|or|then)[ ,]+)*(?:who|how (?:long|much|soon|fast|quickly|often|many|late|far)|(?:until |by |since )?when|where|what(?:'s| is| are| does| do| would)?|any|is there|are there|(?:do|must) (?:i|we))\b/i;
/** The only one that has no word of its own. */
const howMuch = /\bhow much\b/i;
/** … and such words only. */
const aspectTerms: ReadonlySet<string> = new Set(
  contentTerms(
    'pay cost price fee charge free expensive long time take deadline limit day week month hour minute start begin end last happen next expect wait need much fast quickly soon late far often extra',
  ),
);

/** A message with more content says itself what it is about. */
const maxOwnTerms = 3;
/** So many messages back a topic may be. */
const maxDistance = 3;

/** What a message may go on from. */
export interface Topic {
  /** The title of the article that was cited last, and the newest message that says its topic itself. */
  readonly text: string;
  /** The section that was cited last, if any was. */
  readonly cited: Passage | null;
  /** Whether the message is worded as going on from it, and does not merely say too little by itself. */
  readonly isMeant: boolean;
  /** Whether it has no meaning without: an answer about something else would be none. */
  readonly isBound: boolean;
}

/**
 * `null` where there is nothing to go on from, or the message says enough itself.
 *
 * @param text as `plainText` makes it.
 */
export function topicOf(text: string, dialogue: Dialogue): Topic | null {
  const terms = contentTerms(text).length;
  const isBound = refersBack(text);
  const isMeant = opening.test(text) || reference.test(text) || isBound;
  const isUnclear = terms === 1 || (terms === 0 ? asks.test(text) : wordsOf(text).length < 2);
  if (isMeant ? terms > maxOwnTerms : !isUnclear) return null;
  const cited = lastCited(dialogue);
  if (cited === undefined && !isMeant) return null;
  const earlier = dialogue.earlier
    .slice(-maxDistance)
    .map((message) => findFacts(plainText(message)));
  const asked = earlier.findLast(({ rest, isAll }) => !isAll && saysItsTopic(rest))?.rest;
  const topic = [cited?.title, asked].filter(Boolean).join(' ');
  return topic === '' ? null : { text: topic, cited: cited ?? null, isMeant, isBound };
}

/** Whether a question has no meaning without the one before it. */
export function goesOn(text: string): boolean {
  const isShort = wordsOf(text).length < 2;
  return refersBack(text) || likewise.test(text) || (opening.test(text) && isShort);
}

/** Whether a question is about whatever was asked before it: it names nothing itself. */
export function asksMoreOf(text: string): boolean {
  if (!asksForAspect.test(text)) return false;
  const terms = contentTerms(text);
  return (terms.length > 0 || howMuch.test(text)) && terms.every((term) => aspectTerms.has(term));
}

/** Whether it has a word for something that was named before, or denies that. */
export function refersBack(text: string): boolean {
  return reference.test(text.replace(expletive, '')) || denial.test(text);
}

function saysItsTopic(text: string): boolean {
  const isMeant = opening.test(text) || denial.test(text);
  return contentTerms(text).length > 0 && !isMeant && smallTalkReply(text) === null;
}

/** The section that the newest answer is from which is from any. */
function lastCited({ said, earlierResults }: Dialogue): Passage | undefined {
  const found = earlierResults
    .filter(({ name }) => name === searchKnowledge.spec.name)
    .flatMap(({ result }) => searchResult.safeParse(result).data?.passages ?? []);
  const answers = said.filter((text) => text !== '').slice(-maxDistance);
  const cited = answers.map((answer) => found.findLast(({ text }) => quotes(answer, text)));
  return cited.findLast((passage) => passage !== undefined);
}
