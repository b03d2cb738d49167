import { describe, expect, it } from 'vitest';
import { chunkMarkdown } from './chunk-markdown.ts';
import { KnowledgeBase } from './knowledge-base.ts';

const articles = {
  returns:
    '# Returns\n## What a return costs\nA return label costs £3.00.\n## Condition\nUnused only.',
  refunds: '# Refunds\n## How long a refund takes\nFive working days.',
  gifts: '# Gifts\n## Gift card\nAny amount.\n## Gift paper\nGreen. A card of your own.',
  news: '# News\n## Newsletter\nTwice a month.',
  shipping: '# Shipping\n## Norway\nDelivery to Norway takes nine days.',
};

const chunks = Object.entries(articles).flatMap(([id, text]) => chunkMarkdown(id, text));
const knowledge = new KnowledgeBase(chunks);

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
      coverage: expect.any(Number),
    });
    expect(best('What does a return cost?')?.coverage).toBeGreaterThan(0.75);
  });

  it.each([
    ['a typo', 'refnud', 'refunds#how-long-a-refund-takes'],
    ['the beginning of a word', 'deliv', 'shipping#norway'],
    ['another form of a word', 'returning', 'returns#what-a-return-costs'],
    ['an irregular form of a word', 'how long it took', 'refunds#how-long-a-refund-takes'],
    ['a word of the same meaning', 'reimburse', 'refunds#how-long-a-refund-takes'],
    ['one of a kind', 'voucher', 'gifts#gift-card'],
    ['two words written as one', 'giftcard', 'gifts#gift-card'],
    ['one word written as two', 'news letter', 'news#newsletter'],
  ])('finds %s', (_, question, id) => {
    expect(best(question)?.id).toBe(id);
  });

  it.each(['outdoor guide', 'The outdoor guide!', 'what is your outdoor guide policy'])(
    'finds the beginning of the article whose title is all that is asked: %s',
    (question) => {
      const guide = chunkMarkdown(
        'guide',
        '# Outdoor guide\n## Who leads\nOurs do.\n## Guide prices and outdoor guide fees\nGuides cost £9.\n',
      );
      const others = [1, 2, 3].map((n) => chunkMarkdown(`a${n}`, `# A${n}\n## B\nGuide outdoor`));
      const base = new KnowledgeBase([...guide, ...others.flat()]);
      expect(base.search(question)[0]).toMatchObject({ id: 'guide#who-leads', coverage: 0.6 });
      expect(base.search('outdoor guide fees')[0]?.id).toBe(
        'guide#guide-prices-and-outdoor-guide-fees',
      );
    },
  );

  it('finds first the section of an article whose heading is all that is asked', () => {
    const care = '# Care\n## Wash tents after tents\nNo tents, no wash.\n## How to wash\nBy hand.';
    const base = new KnowledgeBase(chunkMarkdown('care', care));
    expect(base.search('how do I wash it?').map(({ id }) => id)).toEqual([
      'care#how-to-wash',
      'care#wash-tents-after-tents',
    ]);
    expect(base.search('how do I wash tents?')[0]?.id).toBe('care#wash-tents-after-tents');
  });

  it('counts a typo for less than the word itself', () => {
    expect(best('Norwai')?.coverage).toBeLessThan(best('Norway')?.coverage ?? 0);
  });

  it('finds what an expression means that has a typo', () => {
    const [right] = knowledge.search('how much is it to send it back');
    expect(right?.id).toBe('returns#what-a-return-costs');
    const [typed] = knowledge.search('how mcuh is it to sned it back');
    expect(typed).toMatchObject({ id: right?.id, coverage: right?.coverage });
  });

  it('lowers the coverage by words that no article has, and most by names', () => {
    const coverage = (question: string) => best(question)?.coverage ?? 0;
    expect(coverage('return of the quantum flux capacitor')).toBeLessThan(0.3);
    expect(coverage('a refund from amazon')).toBeLessThan(coverage('a refund'));
    expect(coverage('a refund from Amazon')).toBeLessThan(coverage('a refund from amazon'));
  });

  it('lowers the coverage hardly by the words of a story', () => {
    const told = 'Yesterday my sister was very angry: how long does a refund take?';
    const asked = best('How long does a refund take?')?.coverage ?? 0;
    expect(best(told)?.id).toBe('refunds#how-long-a-refund-takes');
    expect(best(told)?.coverage).toBeGreaterThan(asked * 0.85);
  });

  it('is the same when it is built while others work', async () => {
    const built = await KnowledgeBase.build(chunks);
    const question = 'What does a return cost?';
    expect([built.size, built.articles]).toEqual([knowledge.size, knowledge.articles]);
    expect(built.search(question)).toEqual(knowledge.search(question));
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
