import { readFile } from 'node:fs/promises';
import { createTestSessions } from 'holdfast/testing';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { CustomerSupportAgent } from '../../agent/customer-support-agent.ts';
import { findArticles } from '../../knowledge/article-files.ts';
import { chunkMarkdown } from '../../knowledge/chunk-markdown.ts';
import type { KnowledgeBase } from '../../knowledge/knowledge-base.ts';
import { bundledKnowledge, loadKnowledge } from '../../knowledge/load-knowledge.ts';
import { printShares, readEvaluation, share } from '../../testing/evaluation.ts';
import { LocalModel } from './local-model.ts';

const conversations = z.array(
  z.strictObject({
    messages: z.array(z.string()).min(2),
    /** Each would do as the answer to the last message; none where it has no answer. */
    sections: z.array(z.string()),
  }),
);
type Conversation = z.infer<typeof conversations>[number];

let knowledge: KnowledgeBase;
/** The follow-ups are tuned with these. */
let tuned: Conversation[];
/** And these are only measured: no failure may show one of them. */
let heldOut: Conversation[];

beforeAll(async () => {
  knowledge = await loadKnowledge();
  tuned = conversations.parse(await readEvaluation('conversations.json'));
  heldOut = conversations.parse(await readEvaluation('held-out-conversations.json'));
});

/** The section from which the last message of each is answered, if it is. */
async function lastAnswers(all: readonly Conversation[]): Promise<(string | undefined)[]> {
  const sessions = createTestSessions();
  onTestFinished(() => sessions.close());
  const agent = new CustomerSupportAgent({ sessions, model: new LocalModel(), knowledge });
  const answers: (string | undefined)[] = [];
  for (const [index, { messages }] of all.entries()) {
    const { id: sessionId } = await agent.getOrCreateSession({ sessionId: `s-${index}` });
    let last: string | undefined;
    for (const message of messages) {
      const { sources } = await agent.processMessage({ sessionId, message });
      last = sources[0]?.id;
    }
    answers.push(last);
  }
  return answers;
}

async function figuresOf(all: readonly Conversation[]) {
  const answers = await lastAnswers(all);
  const outcomes = all.map(({ sections }, index) => ({ sections, answer: answers[index] }));
  const answerable = outcomes.filter(({ sections }) => sections.length > 0);
  const unanswerable = outcomes.filter(({ sections }) => sections.length === 0);
  return {
    'answered from the right section': share(
      answerable,
      ({ sections, answer }) => answer !== undefined && sections.includes(answer),
    ),
    'answered from another one': share(
      answerable,
      ({ sections, answer }) => answer !== undefined && !sections.includes(answer),
    ),
    'without an answer, and given none': share(unanswerable, ({ answer }) => answer === undefined),
  };
}

describe('what is said in between', () => {
  it.each([
    [
      ['how do i wash my down jacket', 'can i tumble dry it'],
      'care-and-washing#wash-a-down-jacket-or-sleeping-bag',
    ],
    [
      ['I forgot my pasword and the reset mail never comes', 'no', 'not in spam either'],
      'password-and-sign-in#reset-email-does-not-arrive',
    ],
    [['I want to return boots', 'what if I lost the receipt?', 'do I pay for that?'], undefined],
    [['what does a return cost', 'is there parking'], 'shop-and-collection#getting-to-the-shop'],
    [['how do i earn points', 'do they expier'], 'fern-club#spend-points'],
  ])('%j is answered from %s', async (messages, section) => {
    expect(await lastAnswers([{ messages, sections: [] }])).toEqual([section]);
  });
});

describe('conversations of several messages', () => {
  it('are as many as is said of them, all different, and name sections that there are', async () => {
    const all = [...tuned, ...heldOut];
    expect([tuned.length, heldOut.length]).toEqual([36, 18]);
    expect(new Set(all.map(({ messages }) => messages.join('\n'))).size).toBe(54);
    const { files } = await findArticles(bundledKnowledge);
    const texts = await Promise.all(
      files.map(async ({ name, path }) =>
        chunkMarkdown(name.slice(0, -'.md'.length), await readFile(path, 'utf8')),
      ),
    );
    const ids = new Set(texts.flat().map(({ id }) => id));
    expect(all.flatMap(({ sections }) => sections).filter((id) => !ids.has(id)).length).toBe(0);
  });

  it('are gone on with from the right section, also where nobody tuned for them', async () => {
    printShares('Of the 36 conversations tuned with, the last message is', await figuresOf(tuned));
    const figures = await figuresOf(heldOut);
    printShares('Of the 18 that nobody tuned with', figures);
    expect(figures['answered from the right section']).toBeGreaterThanOrEqual(0.6);
    expect(figures['answered from another one']).toBeLessThanOrEqual(0.2);
    expect(figures['without an answer, and given none']).toBeGreaterThanOrEqual(0.8);
  });
});
