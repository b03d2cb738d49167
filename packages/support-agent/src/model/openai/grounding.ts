import type { Passage, Source } from '../../knowledge/passage.ts';
import { escalate, escalateResult } from '../../tools/escalate.ts';
import { rememberFact } from '../../tools/remember-fact.ts';
import { searchKnowledge, searchResult } from '../../tools/search-knowledge.ts';
import { fits } from '../confidence.ts';
import type { Dialogue } from '../dialogue.ts';
import { smallTalkReply } from '../local/small-talk.ts';
import type { ModelPart } from '../model.ts';
import { plainText } from '../plain-text.ts';
import { excuse } from './instructions.ts';

type End = Omit<Extract<ModelPart, { type: 'end' }>, 'type'>;

/** An answer cites no more than a reader would follow. */
const maxSources = 5;

const nothing: End = { sources: [], confidence: 0, answered: false };

/**
 * What an answer rests on, as far as the turn itself shows it: nothing of it is what the model claims.
 *
 * - The sources are sections that this turn's searches found and that fit what was looked for: those whose
 *   article's title the answer names, or, where it names none, the best one of each search.
 * - The confidence is the best coverage among them.
 * - An excuse, and an answer that rests on nothing, answered nothing. One without sources did answer when
 *   it passed the conversation on as the customer wished, remembered what they told, or replied to small talk.
 *
 * @param answer all that was said in the turn
 */
export function groundedIn({ question, results }: Dialogue, answer: string): End {
  const isExcuse = straight(answer).includes(straight(excuse));
  const sources = isExcuse ? [] : usedIn(answer, searchesIn(results));
  if (sources.length > 0) {
    const confidence = Math.min(1, Math.max(...sources.map(({ coverage }) => coverage)));
    return { sources: sources.map(sourceOf), confidence, answered: true };
  }
  const reasons = results.flatMap(({ name, result }) => {
    const { data } = escalateResult.safeParse(name === escalate.spec.name ? result : null);
    return data === undefined ? [] : [data.ticket.reason];
  });
  const isPassedOn = reasons.some((reason) => reason !== 'repeated_failure');
  const isToldFact = results.some(
    ({ name, result }) =>
      name === rememberFact.spec.name &&
      result !== null &&
      typeof result === 'object' &&
      'remembered' in result,
  );
  const isSmallTalk = smallTalkReply(plainText(question)) !== null;
  const isAnswer =
    isPassedOn || (!isExcuse && (isToldFact || (isSmallTalk && reasons.length === 0)));
  return isAnswer ? { sources: [], confidence: 1, answered: true } : nothing;
}

/** What an answer counts as that was cut off or refused, whatever was found for it. */
export function groundedInNothing(): End {
  return nothing;
}

/** What each search found and fits, best first. */
function searchesIn(results: Dialogue['results']): Passage[][] {
  return results.flatMap(({ name, result }) => {
    if (name !== searchKnowledge.spec.name) return [];
    const { data } = searchResult.safeParse(result);
    return data === undefined ? [] : [data.passages.filter(fits)];
  });
}

function usedIn(answer: string, searches: readonly Passage[][]): Passage[] {
  const named = searches.flat().filter(({ title }) => answer.includes(title));
  const used = named.length > 0 ? named : searches.flatMap(([best]) => best ?? []);
  const byId = new Map<string, Passage>();
  for (const passage of used) {
    if (passage.coverage > (byId.get(passage.id)?.coverage ?? -1)) byId.set(passage.id, passage);
  }
  return [...byId.values()].slice(0, maxSources);
}

function sourceOf({ id, title, heading, score }: Passage): Source {
  return { id, title, heading, score };
}

function straight(text: string): string {
  return text.replaceAll('’', "'").toLowerCase();
}
