import type { Source } from '../knowledge/passage.ts';
import { escalate, escalateResult } from '../tools/escalate.ts';
import { type Fact, knownValues } from '../tools/fact.ts';
import { searchKnowledge, searchResult } from '../tools/search-knowledge.ts';
import { askBack } from './choice.ts';
import type { Dialogue } from './dialogue.ts';
import { type Finding, judge, judgeFollowUp, judgePicked } from './findings.ts';
import type { SessionKnowledge } from './model.ts';
import { factTemplates, phrases, templates } from './phrases.ts';
import { bestSentences } from './sentences.ts';
import type { Understanding } from './understanding.ts';

const maxSentences = 3;

/** After so many answers in a row that answered nothing, the next one is a person's. */
const patience = 2;

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
    const extract = extractOf(materials, finding);
    const text = spoken(materials, extract.text);
    return { text, sources: extract.sources, confidence, answered: true };
  }
  if (finding.kind === 'tie') {
    const text = spoken(materials, askBack(finding.passages));
    return { text, sources: [], confidence, answered: false };
  }
  if (session.unansweredInARow >= patience && session.openTicket === null) return null;
  const text = spoken(materials, phrases.unknown, whoHelps(session));
  return { text, sources: [], confidence, answered: false };
}

/** `null` when nothing was looked for. */
function findingOf({ dialogue, understanding }: Materials): Finding | null {
  const { queries, labels, topic, wasAskedBack } = understanding;
  const [query] = queries;
  if (query === undefined) return null;
  const found = resultsOf(dialogue, searchKnowledge.spec.name).map((result) => {
    const { data } = searchResult.safeParse(result);
    return data?.passages ?? [];
  });
  if (labels !== null) return judgePicked(found, labels);
  const [own = [], together = []] = found;
  if (topic !== null) return judgeFollowUp(own, together, query, topic);
  // Who has just been asked which of two things they mean is not asked again.
  return judge(own, query, !wasAskedBack);
}

function escalated(materials: Materials, finding: Finding | null, result: unknown): Reply {
  const { success, data } = escalateResult.safeParse(result);
  if (!success) return { text: phrases.notPassedOn, sources: [], confidence: 0, answered: false };
  const { reason } = materials.understanding;
  const { ticket, is_new: isNew } = data;
  const template = isNew ? templates.passedOn : templates.passedOnBefore;
  const extract = finding?.kind === 'answer' ? extractOf(materials, finding) : null;
  const sentences = [
    reason === null && phrases.repeatedFailure,
    reason === 'safety' && phrases.inDanger,
    reason === 'anger' && phrases.letDown,
    extract?.text,
    template.fill(ticket.id),
    isNew && phrases.personWillAnswer,
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
  const { smallTalk } = understanding;
  const isOpen = smallTalk === phrases.howCanIHelp || smallTalk === phrases.anythingElse;
  const phrase =
    isOpen && session.isFirstAnswer ? phrases.introduction : (smallTalk ?? whoHelps(session));
  return { text: spoken(materials, phrase), sources: [], confidence: 1, answered: true };
}

function whoHelps({ openTicket }: SessionKnowledge): string {
  return openTicket === null ? phrases.offer : templates.passedOnBefore.fill(openTicket.id);
}

function extractOf(
  { understanding, dialogue }: Materials,
  { passages }: Finding & { kind: 'answer' },
) {
  const texts = passages.map(({ text, heading }) => {
    const asked = understanding.labels === null ? dialogue.question : heading;
    return bestSentences(text, asked, maxSentences);
  });
  return {
    text: texts.join('\n'),
    sources: passages.map(({ id, title, heading, score }) => ({ id, title, heading, score })),
  };
}

/** The sentences of a reply, after a greeting in the first one and what is known of the customer. */
function spoken(materials: Materials, ...sentences: readonly string[]): string {
  const hello = materials.session.isFirstAnswer && phrases.hello;
  return joined([hello, ...factSentences(materials, sentences[0]), ...sentences]);
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
