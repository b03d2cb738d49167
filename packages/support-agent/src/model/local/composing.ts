import type { Source } from '../../knowledge/passage.ts';
import { escalate, escalateResult } from '../../tools/escalate.ts';
import { type Fact, type FactKind, knownValues } from '../../tools/fact.ts';
import { searchKnowledge, searchResult } from '../../tools/search-knowledge.ts';
import type { Dialogue } from '../dialogue.ts';
import type { SessionKnowledge } from '../model.ts';
import { plainText } from '../plain-text.ts';
import { askBack } from './choice.ts';
import { type Finding, judge, judgeFollowUp, judgePicked, judgeSeveral } from './findings.ts';
import { asksForPersonElsewhere, isForeign } from './other-languages.ts';
import { factTemplates, notTold, phrases, templates } from './phrases.ts';
import { bestSentences } from './sentences.ts';
import type { Understanding } from './understanding.ts';

const maxSentences = 3;

/** After so many answers in a row that answered nothing, the next one is a person's. */
const patience = 2;

/**
 * Beside a legal matter or one of safety, only what is as sure as this is quoted. Such a message has words
 * that no article answers: in the questions that the search is tuned with, put behind or before a threat, one
 * answer in four is wrong, and of those as sure as this one in ten.
 */
const minSureBesideGrave = 0.7;

export interface Reply {
  readonly text: string;
  readonly sources: readonly Source[];
  readonly confidence: number;
  readonly answered: boolean;
}

/** What a reply is made from. */
export interface Materials {
  readonly dialogue: Dialogue;
  readonly understanding: Understanding;
  readonly session: SessionKnowledge;
}

/** The reply, or `null` when it takes a person first: nothing was found for the third time in a row. */
export function compose(materials: Materials): Reply | null {
  const { session } = materials;
  const finding = findingOf(materials);
  const escalation = resultsOf(materials.dialogue, escalate.spec.name).at(-1);
  if (escalation !== undefined) return escalated(materials, finding, escalation);
  if (finding === null) return withoutSearch(materials);
  const { confidence } = finding;
  if (finding.kind === 'answer') {
    const extract = extractOf(finding);
    const rest = finding.isWhole ? [] : [phrases.restUnknown, whoHelps(session)];
    const text = spoken(materials, extract.text, ...rest);
    return { text, sources: extract.sources, confidence, answered: true };
  }
  if (finding.kind === 'tie') {
    const text = spoken(materials, askBack(finding.passages));
    return { text, sources: [], confidence, answered: false };
  }
  if (session.unansweredInARow >= patience && session.openTicket === null) return null;
  const text = spoken(materials, excuseFor(materials.dialogue), whoHelps(session));
  return { text, sources: [], confidence, answered: false };
}

function excuseFor({ question }: Dialogue): string {
  return isForeign(plainText(question)) ? phrases.onlyEnglish : phrases.unknown;
}

/** `null` when nothing was looked for. */
function findingOf({ dialogue, understanding }: Materials): Finding | null {
  const { queries, labels, topic, questions, wasAskedBack } = understanding;
  const [query] = queries;
  if (query === undefined) return null;
  const found = resultsOf(dialogue, searchKnowledge.spec.name).map((result) => {
    const { data } = searchResult.safeParse(result);
    return data?.passages ?? [];
  });
  if (labels !== null) return judgePicked(found, labels);
  const [own = [], ...others] = found;
  if (topic !== null) return judgeFollowUp(own, others[0] ?? [], query, topic);
  // Who has just been asked which of two things they mean is not asked again.
  const mayTie = !wasAskedBack;
  return questions.length > 1
    ? judgeSeveral(own, others, query, questions, mayTie)
    : judge(own, query, mayTie);
}

function escalated(materials: Materials, finding: Finding | null, result: unknown): Reply {
  const { success, data } = escalateResult.safeParse(result);
  if (!success) return { text: phrases.notPassedOn, sources: [], confidence: 0, answered: false };
  const { reason } = materials.understanding;
  const { ticket, is_new: isNew } = data;
  const template = isNew ? templates.passedOn : templates.passedOnBefore;
  const least = reason === 'safety' || reason === 'legal' ? minSureBesideGrave : 0;
  const isQuoted = finding?.kind === 'answer' && finding.confidence >= least;
  const extract = isQuoted ? extractOf(finding) : null;
  const sentences = [
    asksForPersonElsewhere(plainText(materials.dialogue.question)) && phrases.onlyEnglish,
    reason === null && phrases.repeatedFailure,
    reason === 'safety' && phrases.inDanger,
    reason === 'anger' && phrases.letDown,
    extract?.text,
    template.fill(ticket.id),
    isNew && phrases.personWillAnswer,
    materials.understanding.asksForPersonsTime && phrases.timeUnknown,
  ];
  return {
    text: joined([...factSentences(materials, extract?.text), ...sentences]),
    sources: extract?.sources ?? [],
    confidence: reason === null || extract !== null ? (finding?.confidence ?? 0) : 1,
    answered: reason !== null,
  };
}

function withoutSearch(materials: Materials): Reply {
  const { understanding, session } = materials;
  const told = understanding.askedFacts.flatMap((kind) => toldOf(kind, session));
  const text =
    told.length > 0
      ? joined([helloIn(session), ...told])
      : spoken(materials, knownReply(understanding, session));
  return { text, sources: [], confidence: 1, answered: true };
}

function knownReply({ smallTalk, asksForPersonsTime }: Understanding, session: SessionKnowledge) {
  const { openTicket, isFirstAnswer } = session;
  if (asksForPersonsTime && openTicket !== null) {
    return joined([templates.personIsAwaited.fill(openTicket.id), phrases.timeUnknown]);
  }
  const isOpen = smallTalk === phrases.howCanIHelp || smallTalk === phrases.anythingElse;
  return isOpen && isFirstAnswer ? phrases.introduction : (smallTalk ?? whoHelps(session));
}

/** What is known of a kind, or that nothing is. */
function toldOf(kind: FactKind, { facts, tickets, openTicket }: SessionKnowledge): string[] {
  const told = knownValues(facts, kind).map((value) => sentenceOf({ kind, value }));
  if (kind === 'ticket_number') {
    const last = tickets.at(-1);
    if (openTicket !== null) told.unshift(templates.passedOnBefore.fill(openTicket.id));
    else if (last !== undefined) told.unshift(templates.lastTicket.fill(last.id));
  }
  return told.length > 0 ? told : [notTold[kind]];
}

function whoHelps({ openTicket }: SessionKnowledge): string {
  return openTicket === null ? phrases.offer : templates.passedOnBefore.fill(openTicket.id);
}

function extractOf({ cited }: Finding & { kind: 'answer' }) {
  const texts = cited.map(({ passage, question }) =>
    bestSentences(passage.text, question, maxSentences),
  );
  const sources = cited.map(({ passage: { id, title, heading, score } }) => {
    return { id, title, heading, score };
  });
  return { text: texts.join('\n'), sources };
}

/** The sentences of a reply, after a greeting in the first one and what is known of the customer. */
function spoken(materials: Materials, ...sentences: readonly string[]): string {
  const facts = factSentences(materials, sentences[0]);
  return joined([helloIn(materials.session), ...facts, ...sentences]);
}

function helloIn({ isFirstAnswer }: SessionKnowledge): string | false {
  return isFirstAnswer && phrases.hello;
}

const aboutAnOrder = /\b(?:my|this) (?:\w+ )?(?:order|parcel|package|delivery|refund)\b/i;

/** What the customer tells, and the order that this may be about: each is said once. */
function factSentences({ dialogue, understanding, session }: Materials, answer = ''): string[] {
  const isNews = (sentence: string) => !dialogue.said.some((text) => text.includes(sentence));
  const told = understanding.facts
    .filter(({ kind, value }) => knownValues(session.facts, kind).includes(value))
    .map(sentenceOf)
    // Who says nothing else hears it again.
    .filter((sentence) => understanding.queries.length === 0 || isNews(sentence));
  const isRelevant = aboutAnOrder.test(dialogue.question) || /\border number\b/i.test(answer);
  const orders = isRelevant ? session.facts.orderNumbers.slice(-1) : [];
  const known = orders.map((value) => sentenceOf({ kind: 'order_number', value })).filter(isNews);
  return [...new Set([...told, ...known])];
}

function sentenceOf({ kind, value }: Fact): string {
  return factTemplates[kind].fill(value);
}

function resultsOf({ results }: Dialogue, tool: string) {
  return results.flatMap(({ name, result }) => (name === tool ? [result] : []));
}

function joined(sentences: readonly (string | false | undefined)[]): string {
  return sentences.filter(Boolean).join(' ');
}
