import { describe, expect, it } from 'vitest';
import { chunkMarkdown } from './chunk-markdown.ts';
import { KnowledgeBase } from './knowledge-base.ts';

const articles = {
  returns:
    '# Returns\n## What a return costs\nA return label costs £3.00.\n## Condition\nUnused only.',
  refunds: '# Refunds\n## How long a refund takes\nFive working days.',
  shipping: '# Shipping\n## Norway\nDelivery to Norway takes nine days.',
};

const knowledge = new KnowledgeBase(
  Object.entries(articles).flatMap(([id, text]) => chunkMarkdown(id, text)),
);

function best(question: string) {
  return knowledge.search(question)[0];
}

describe('KnowledgeBase', () => {
  it('finds the section that answers, with what is needed to cite it', () => {
    expect(best('What does a return cost?')).toEqual({
      id: 'returns#what-a-return-costs',
      title: 'Returns',
      heading: 'What a return costs',
      text: 'A return label costs £3.00.',
      score: expect.any(Number),
      coverage: 1,
    });
  });

  it.each([
    ['a typo', 'refnud', 'refunds#how-long-a-refund-takes'],
    ['the beginning of a word', 'deliv', 'shipping#norway'],
    ['another form of a word', 'returning', 'returns#what-a-return-costs'],
  ])('finds %s', (_, question, id) => {
    expect(best(question)?.id).toBe(id);
  });

  it('counts a typo for less than the word itself', () => {
    expect(best('Norwai')?.coverage).toBeLessThan(best('Norway')?.coverage ?? 0);
  });

  it('lowers the coverage by words that no article has', () => {
    expect(best('return of the quantum flux capacitor')?.coverage).toBeLessThan(0.3);
  });

  it('returns at most the limit, best first', () => {
    const all = knowledge.search('return refund delivery');
    const scores = all.map((passage) => passage.score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(knowledge.search('return refund delivery', { limit: 2 })).toEqual(all.slice(0, 2));
  });

  it.each(['', '?!', 'the of and', '🎒🥾', 'constructor __proto__ toString'])(
    'finds nothing for %j',
    (question) => {
      expect(knowledge.search(question)).toEqual([]);
    },
  );
});
