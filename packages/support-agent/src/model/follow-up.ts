import { contentTerms } from '../knowledge/terms.ts';
import { findFacts } from './find-facts.ts';
import { plainText } from './plain-text.ts';
import { smallTalkReply } from './small-talk.ts';

/** How a message begins that goes on from the one before. */
const opening =
  /^(?:and|but|so|also|or|then|(?:what|how) about|what (?:if|else|when)|even (?:if|when)|if)\b/i;
/** What stands for something that was named before. */
const reference = /\b(?:it|it's|its|that|that's|thats|this|they|they're|them|these|those|there)\b/i;

/** A message with more content says itself what it is about. */
const maxOwnTerms = 3;
/** So many messages back a topic may be. */
const maxDistance = 3;

/**
 * The earlier message that says what this one is about, or `null` where it does not go on from any.
 *
 * @param text as `plainText` makes it.
 * @param earlier the customer's messages before it, oldest first.
 */
export function topicOf(text: string, earlier: readonly string[]): string | null {
  if (!goesOn(text)) return null;
  const before = earlier.slice(-maxDistance).map((message) => findFacts(plainText(message)));
  const topic = before.findLast(({ rest, isAll }) => !isAll && saysItsTopic(rest));
  return topic?.rest ?? null;
}

function goesOn(text: string): boolean {
  const isShort = contentTerms(text).length <= maxOwnTerms;
  return isShort && (opening.test(text) || reference.test(text));
}

function saysItsTopic(text: string): boolean {
  return contentTerms(text).length > 0 && !goesOn(text) && smallTalkReply(text) === null;
}
