import { describe, expect, it } from 'vitest';
import { expressionsIn } from './expressions.ts';
import { formsOf, splitWords } from './terms.ts';

function meantBy(text: string): string[] {
  const bases = splitWords(text).map((word) => formsOf(word).base);
  return expressionsIn(bases).flatMap(({ meant }) => meant);
}

describe('expressionsIn', () => {
  it.each([
    ['how do I send it back?', ['return', 'item']],
    ['I sent the blue one back', ['return', 'item']],
    ['sending back', ['return', 'item']],
    ['bring something back', ['return', 'item']],
    ['I can’t log in', ['reset', 'password', 'sign']],
    ['how much is it', ['pric']],
    ['I was not in', ['nobody', 'hom']],
    ['is my parcel lost', ['lat', 'parcel']],
    ['you lost the parcel', ['lat', 'parcel']],
    ['any update on my order?', ['track', 'parcel']],
    ['it still hasn’t come', ['lat', 'parcel']],
    ['I bought it 40 days ago', ['long', 'day']],
    ['do you ship to the US', ['country']],
    ['do you take amex', ['american', 'express']],
    ['can my wife pick it up', ['another', 'person', 'collect']],
    ['only the boots have arrived', ['miss', 'item']],
  ])('knows what %j means', (text, meant) => {
    expect(meantBy(text)).toEqual(meant);
  });

  it.each([
    ['send it', 'a word is missing'],
    ['not in spam either', 'nobody is away'],
    ['the email didn’t come', 'no parcel is meant'],
    ['does the shop ship it to us', '“us” is no country'],
    ['back to send', 'the order is another one'],
    ['send one two three four back', 'the gap is too long'],
    ['much later how', 'no gap is allowed'],
    ['', 'there are no words'],
  ])('finds none in %j, where %s', (text) => {
    expect(meantBy(text)).toEqual([]);
  });

  it('tells where the words stand, and takes none of them twice', () => {
    const bases = ['send', 'it', 'give', 'back', 'how', 'much'];
    expect(expressionsIn(bases).map(({ positions }) => positions)).toEqual([
      [0, 3],
      [4, 5],
    ]);
  });

  it('does not take long over a long message', () => {
    const bases = Array.from({ length: 8_000 }, (_, index) => (index % 2 ? 'send' : 'cant'));
    expect(expressionsIn(bases)).toEqual([]);
  });
});
