import { contentTerms } from '../../knowledge/terms.ts';
import type { Fact, FactKind } from '../../tools/fact.ts';
import type { EscalationReason } from '../../tools/support-record.ts';
import type { Dialogue } from '../dialogue.ts';
import type { SessionKnowledge } from '../model.ts';
import { plainText } from '../plain-text.ts';
import { offeredBy, picked } from './choice.ts';
import { concernIn } from './concerns.ts';
import { findFacts } from './find-facts.ts';
import { type Topic, topicOf } from './follow-up.ts';
import { readPersonRequest } from './intents.ts';
import { asksForPersonElsewhere } from './other-languages.ts';
import { phrases } from './phrases.ts';
import { type Question, queriesFor } from './question.ts';
import { questionsIn } from './questions.ts';
import { agrees, smallTalkReply, withoutGreeting, withoutPreface } from './small-talk.ts';
import { askedFacts } from './told-facts.ts';
import { asksForPersonsTime } from './waiting.ts';

/** The search takes no more words into account than stand in so many characters. */
const maxQuery = 1_000;

/** What the local model takes a message for. */
export interface Understanding {
  /** What the customer tells about themselves. */
  readonly facts: readonly Fact[];
  /** Why a person is needed, if one is. */
  readonly reason: EscalationReason | null;
  /** The fixed phrase that answers it, where nothing needs to be looked up. */
  readonly smallTalk: string | null;
  /** The facts that it asks to be told back. */
  readonly askedFacts: readonly FactKind[];
  /** Whether it asks when the person comes for whom the conversation waits. */
  readonly asksForPersonsTime: boolean;
  /** The sections that it picks of those that the answer before offered. */
  readonly labels: readonly string[] | null;
  /** Whether the answer before left the customer a choice. */
  readonly wasAskedBack: boolean;
  /** The message; then what else is to be looked up. */
  readonly queries: readonly string[];
  /** What it may go on from: then the second query has both. */
  readonly topic: Topic | null;
  /** What it asks: where that is more than one thing, each has queries of its own. */
  readonly questions: readonly Question[];
}

export function understand(
  dialogue: Dialogue,
  { openTicket }: Pick<SessionKnowledge, 'openTicket'>,
): Understanding {
  const { question, previous } = dialogue;
  const text = plainText(question);
  const request = readPersonRequest(text);
  const { facts, rest, isAll } = findFacts(request.rest);
  const offered = offeredBy(previous);
  const labels = offered && picked(offered, text);
  const isRefusal = request.rest !== text && contentTerms(request.rest).length === 0;
  const reply = isRefusal ? phrases.declined : smallTalkReply(text);
  const smallTalk = labels === null ? reply : null;
  const takesOffer = previous.endsWith(phrases.offer) && agrees(text);
  const isAsked = request.asks || takesOffer || asksForPersonElsewhere(text);
  const reason = reasonToEscalate(text, isAsked);
  const own = withoutGreeting(rest);
  const asked = askedFacts(own);
  const isAboutTime =
    openTicket !== null && asksForPersonsTime(own, previous.includes(openTicket.id));
  const isKnown = smallTalk !== null || isAll || asked.length > 0 || isAboutTime;
  const needsNoSearch = reason === 'asked_for' || isKnown;
  const query = (withoutPreface(rest) || text).slice(0, maxQuery);
  const topic = needsNoSearch || offered !== null ? null : topicOf(query, dialogue);
  const questions = needsNoSearch || topic !== null ? [] : questionsIn(query);
  const together = topic === null ? [] : [`${query} ${topic.text}`.slice(0, maxQuery)];
  const each = questions.length > 1 ? questions.flatMap(queriesFor) : [];
  return {
    facts,
    reason,
    smallTalk,
    askedFacts: asked,
    asksForPersonsTime: isAboutTime,
    labels,
    wasAskedBack: offered !== null,
    queries: needsNoSearch ? [] : (labels ?? [query, ...together, ...each]),
    topic,
    questions,
  };
}

function reasonToEscalate(text: string, isAsked: boolean): EscalationReason | null {
  const concern = concernIn(text);
  if (concern === 'safety' || concern === 'legal') return concern;
  return isAsked ? 'asked_for' : concern;
}
