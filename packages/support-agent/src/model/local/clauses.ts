import { wordsOf } from '../../knowledge/question.ts';
import { contentTerms } from '../../knowledge/terms.ts';
import { asksMoreOf, refersBack } from './follow-up.ts';
import type { Question } from './question.ts';

/** What customers ask to be done, or how to do. */
const verbs =
  '(?:add|apply|ask|book|buy|cancel|change|check|claim|close|collect|delete|exchange|find|get|hire|know|order|pay|redeem|rent|repair|reset|return|send|swap|track|unsubscribe|update|use|withdraw)';
const asking =
  "(?:(?:how|what|where|who)'?s|how|what|when|where|who|which|why|can|could|do|does|did|is|are|will|would|should|may)";
const wanting = "(?:i|we)(?:'d| would| do)? (?:also )?(?:like|love|need|want|wish|have) to";
const troubled =
  "(?:i|we|my|our)\\b[^,.;]{0,40}(?:n't|\\b(?:cant|cannot|didnt|doesnt|dont|forgot|forgotten|hasnt|havent|isnt|lost|never|not|wont)\\b)";

/** How a clause begins that asks for something by itself. */
const request = new RegExp(
  `^(?:(?:hi|hello|hey|so|ok|okay|please|also)[ ,!.]+)*(?:${asking}\\b|please\\b|${wanting}\\b|${troubled}|${verbs}\\b(?! (?:and|or)\\b))`,
  'i',
);
const question = new RegExp(`^${asking}\\b`, 'i');

/** What may stand between two clauses, and between a clause and what goes on from it. */
const joint = /(?:[,;.!]? (?:and|but|plus|also)(?: (?:also|then|please))?|[.;!] also,?|[,;]) /gi;
/** A clause with such a word is not told from the next one by these means. */
const subordinate =
  /\S (?:after|although|because|before|if|since|that|though|unless|when|while)\b/i;

/** What is longer is a story. */
const maxLength = 300;

/** What begins with a verb and has fewer words hardly has a topic of its own. */
const minTerms = 2;

/**
 * What a message without several question marks asks for, where that may be several things: "I want to return
 * my jacket and change my address". Only what is found for each can tell.
 */
export function clausesIn(text: string): readonly Question[] {
  if (text.length > maxLength) return [clause(text, [])];
  const clauses: Question[] = [];
  let from = 0;
  for (const { 0: between, index } of text.matchAll(joint)) {
    const before = text.slice(from, index);
    const after = text.slice(index + between.length);
    if (!request.test(before) || subordinate.test(before) || wordsOf(before).length === 0) continue;
    const goesOn = asksMoreOf(after) || (question.test(after) && refersBack(after));
    if (!goesOn && (between === ', ' || !standsAlone(before, after))) continue;
    clauses.push(clause(before, clauses));
    from = index + between.length;
  }
  return [...clauses, clause(text.slice(from), clauses)];
}

function standsAlone(before: string, after: string): boolean {
  if (refersBack(after) || !request.test(after) || wordsOf(after).length === 0) return false;
  const isLong = (text: string) => contentTerms(text).length >= minTerms;
  return question.test(after) || (isLong(before) && isLong(after));
}

function clause(text: string, before: readonly Question[]): Question {
  const last = before.at(-1);
  const goesOn = last !== undefined && (asksMoreOf(text) || refersBack(text));
  return { text, lead: goesOn ? (last.lead ?? last.text) : null, isSure: false };
}
