import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTestSessions } from 'holdfast/testing';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { CustomerSupportAgent } from '../agent/customer-support-agent.ts';
import { LocalModel } from '../model/local/local-model.ts';
import { phrases } from '../model/local/phrases.ts';
import { packageRoot } from '../package-root.ts';
import { printShares, readEvaluation, share } from '../testing/evaluation.ts';
import type { KnowledgeBase } from './knowledge-base.ts';
import { loadKnowledge } from './load-knowledge.ts';
import { articleOf } from './passage.ts';
import { contentTerms } from './terms.ts';

const answerable = z.array(z.strictObject({ question: z.string(), article: z.string() }));
const unanswerable = z.array(z.strictObject({ question: z.string(), near: z.boolean() }));
const short = z.strictObject({
  answerable: z.array(
    z.strictObject({ question: z.string(), articles: z.array(z.string()).min(1) }),
  ),
  unanswerable,
  followUps: z.array(
    z.strictObject({
      before: z.string(),
      question: z.string(),
      articles: z.array(z.string()).min(1),
    }),
  ),
});
type Question = z.infer<typeof answerable>[number];
type ShortQuestions = z.infer<typeof short>;

let knowledge: KnowledgeBase;
/** The search is tuned with these. */
let tuned: Question[];
/** And these are only measured: no failure may show one of them. */
let heldOut: Question[];
let withoutAnswer: z.infer<typeof unanswerable>;
let tunedShort: ShortQuestions;
/** As with `heldOut`, no failure may show one of them. */
let heldOutShort: ShortQuestions;

beforeAll(async () => {
  knowledge = await loadKnowledge();
  tuned = answerable.parse(await readEvaluation('questions.json'));
  heldOut = answerable.parse(await readEvaluation('held-out-questions.json'));
  withoutAnswer = unanswerable.parse(await readEvaluation('unanswerable.json'));
  tunedShort = short.parse(await readEvaluation('short-questions.json'));
  heldOutShort = short.parse(await readEvaluation('held-out-short-questions.json'));
});

/** The articles that are found, best first, each in the place of its best section. */
function articlesFor(question: string): string[] {
  const found = knowledge.search(question, { limit: knowledge.size });
  return [...new Set(found.map(({ id }) => articleOf(id)))];
}

/** The part of the questions whose article is among the best so many. */
function topShare(questions: readonly Question[], places: number): number {
  const isFound = ({ question, article }: Question) =>
    articlesFor(question).slice(0, places).includes(article);
  return questions.filter(isFound).length / questions.length;
}

/** What becomes of each question in a conversation of its own with the local model, as the first or behind another. */
async function replyTo(
  questions: readonly { readonly question: string; readonly before?: string }[],
) {
  const sessions = createTestSessions();
  onTestFinished(() => sessions.close());
  const agent = new CustomerSupportAgent({ sessions, model: new LocalModel(), knowledge });
  const outcomes: { isAnswered: boolean; isRefused: boolean; articles: string[] }[] = [];
  for (const [index, { question, before }] of questions.entries()) {
    const { id: sessionId } = await agent.getOrCreateSession({ sessionId: `s-${index}` });
    if (before !== undefined) await agent.processMessage({ sessionId, message: before });
    const { message, sources } = await agent.processMessage({ sessionId, message: question });
    outcomes.push({
      isAnswered: sources.length > 0,
      isRefused:
        sources.length === 0 &&
        message.includes(phrases.unknown) &&
        message.includes(phrases.offer),
      articles: sources.map(({ id }) => articleOf(id)),
    });
  }
  return outcomes;
}

describe('the questions of the evaluation', () => {
  it('are as many and as different as its rules say', () => {
    const all = [...tuned, ...heldOut];
    expect([tuned.length, heldOut.length, withoutAnswer.length]).toEqual([40, 20, 25]);
    expect(withoutAnswer.filter(({ near }) => near)).toHaveLength(10);
    expect(new Set([...all, ...withoutAnswer].map(({ question }) => question)).size).toBe(85);
    expect(new Set(all.map(({ article }) => article)).size).toBeGreaterThanOrEqual(28);
  });

  it('have at most a third of their content words from the title of the article', async () => {
    const titles = new Map<string, string>();
    for (const { article } of [...tuned, ...heldOut]) {
      const text = await readFile(join(packageRoot, 'knowledge', `${article}.md`), 'utf8');
      titles.set(article, text.slice(0, text.indexOf('\n')));
    }
    const titleShare = ({ question, article }: Question) => {
      const title = new Set(contentTerms(titles.get(article) ?? ''));
      return share(contentTerms(question), (term) => title.has(term));
    };
    const breaking = [...tuned, ...heldOut].filter((one) => titleShare(one) > 1 / 3);
    expect(breaking.length).toBe(0);
  });
});

describe('the search', () => {
  it('has the right article among its first three for nine questions in ten', () => {
    const all = [...tuned, ...heldOut];
    const figures = {
      'first, of the 40 that it is tuned with': topShare(tuned, 1),
      'in the first three, of those': topShare(tuned, 3),
      'first, of the 20 that nobody looked at': topShare(heldOut, 1),
      'in the first three, of those 20': topShare(heldOut, 3),
      'first, of all 60': topShare(all, 1),
      'in the first three, of all 60': topShare(all, 3),
    };
    printShares('The right article is', figures);
    expect(figures['in the first three, of those 20']).toBeGreaterThanOrEqual(0.9);
    expect(figures['in the first three, of all 60']).toBeGreaterThanOrEqual(0.9);
  });
});

describe('the agent with the local model', () => {
  it('says that it does not know, and offers a person, where no article answers', async () => {
    const replies = await replyTo(withoutAnswer);
    const near = replies.filter((_, index) => withoutAnswer[index]?.near);
    const figures = {
      'of all 25 without an answer': share(replies, ({ isRefused }) => isRefused),
      'of the 10 near a topic': share(near, ({ isRefused }) => isRefused),
    };
    printShares('“I don’t know”, with a person offered, is said to', figures);
    expect(figures['of all 25 without an answer']).toBeGreaterThanOrEqual(0.9);
  });

  it('answers most questions that have an answer, mostly from the right article', async () => {
    const all = [...tuned, ...heldOut];
    const replies = await replyTo(all);
    const isRight = ({ articles }: (typeof replies)[number], index: number) =>
      articles.includes(all[index]?.article ?? '');
    const figures = {
      'of the 40': share(replies.slice(0, 40), ({ isAnswered }) => isAnswered),
      'of the 20': share(replies.slice(40), ({ isAnswered }) => isAnswered),
      'of all 60': share(replies, ({ isAnswered }) => isAnswered),
      'of all 60, from the right article': share(replies, isRight),
    };
    printShares('An answer is given to', figures);
    expect(figures['of all 60']).toBeGreaterThanOrEqual(0.8);
    expect(figures['of all 60, from the right article']).toBeGreaterThanOrEqual(0.7);
  });
});

describe('short questions as customers type them', () => {
  /** Of those that have an answer: what the search finds, and what the local model says. */
  async function figuresOf({ answerable, unanswerable, followUps }: ShortQuestions) {
    const fits = (articles: readonly string[], found: readonly string[]) =>
      found.some((article) => articles.includes(article));
    const replies = await replyTo(answerable);
    const refusals = await replyTo(unanswerable);
    const followed = await replyTo(followUps);
    return {
      'the right article is in the first three': share(answerable, ({ question, articles }) =>
        fits(articles, articlesFor(question).slice(0, 3)),
      ),
      'answered from the right article': share(answerable, ({ articles }, index) =>
        fits(articles, replies[index]?.articles.slice(0, 1) ?? []),
      ),
      'answered from another one': share(answerable, ({ articles }, index) => {
        const [first] = replies[index]?.articles ?? [];
        return first !== undefined && !fits(articles, [first]);
      }),
      'without an answer, and told so': share(refusals, ({ isRefused }) => isRefused),
      'follow-ups answered from the right article': share(followUps, ({ articles }, index) =>
        fits(articles, followed[index]?.articles.slice(0, 1) ?? []),
      ),
    };
  }

  it('are as many as is said of them, and all different', () => {
    const all = [tunedShort, heldOutShort].flatMap((some) => [
      ...some.answerable,
      ...some.unanswerable,
      ...some.followUps,
    ]);
    expect(new Set(all.map((one) => JSON.stringify(one))).size).toBe(all.length);
    const counts = ({ answerable, unanswerable, followUps }: ShortQuestions) =>
      [answerable, unanswerable, followUps].map(({ length }) => length);
    expect([counts(tunedShort), counts(heldOutShort)]).toEqual([
      [83, 16, 9],
      [71, 16, 9],
    ]);
  });

  it('are mostly answered from the right article, also where nobody tuned for them', async () => {
    printShares('Of the short ones that it is tuned with', await figuresOf(tunedShort));
    const figures = await figuresOf(heldOutShort);
    printShares('Of the short ones that it is not tuned with', figures);
    expect(figures['the right article is in the first three']).toBeGreaterThanOrEqual(0.85);
    expect(figures['answered from the right article']).toBeGreaterThanOrEqual(0.6);
    expect(figures['answered from another one']).toBeLessThanOrEqual(0.15);
    expect(figures['without an answer, and told so']).toBeGreaterThanOrEqual(0.75);
    expect(figures['follow-ups answered from the right article']).toBeGreaterThanOrEqual(0.65);
  });
});
