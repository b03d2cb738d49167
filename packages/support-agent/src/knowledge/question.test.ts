import { describe, expect, it } from 'vitest';
import { partSaid, readQuestion } from './question.ts';

const articles = new Set([
  'gift',
  'card',
  'checkout',
  'european',
  'country',
  'parcel',
  'edinburgh',
]);

function read(question: string) {
  return readQuestion(question, (term) => articles.has(term));
}

function kindOf(term: string, question: string) {
  return read(question).find((asked) => asked.term === term)?.kind;
}

describe('readQuestion', () => {
  it('tells a name, which no article has, from the beginning of a sentence', () => {
    expect(kindOf('netflix', 'How do I reset Netflix?')).toBe('name');
    expect(kindOf('netflix', 'Netflix does not work')).toBe('word');
    expect(kindOf('netflix', 'It broke. Netflix, I mean')).toBe('word');
    expect(kindOf('edinburgh', 'are you in Edinburgh')).toBe('word');
    expect(kindOf('netflix', 'WHERE IS MY NETFLIX PARCEL')).toBe('word');
  });

  it('knows numbers, and the words that stories are told with', () => {
    expect(kindOf('1998', 'who won in 1998')).toBe('number');
    expect(kindOf('sister', 'my sister’s parcel')).toBe('everyday');
  });

  it('takes for a word only substitutes that an article has', () => {
    expect(read('germany')[0]?.substitutes).toEqual([
      { terms: ['european'], match: expect.any(Number) },
      { terms: ['country'], match: expect.any(Number) },
    ]);
    expect(read('rucksack')[0]?.substitutes).toEqual([]);
  });

  it('takes a compound apart, and two words together', () => {
    const parts = { terms: ['gift', 'card'], match: expect.any(Number) };
    expect(read('giftcardz')[0]?.substitutes).toEqual([]);
    expect(read('parcelcard')[0]?.substitutes).toEqual([{ ...parts, terms: ['parcel', 'card'] }]);
    expect(read('i cannot check out, check out or check out')[0]).toEqual({
      term: 'check',
      kind: 'everyday',
      substitutes: [{ terms: ['checkout'], match: 1 }],
    });
    expect(read('check. Out')[0]?.substitutes).toEqual([]);
  });

  it('reads no more than the first 48 terms of a long message', () => {
    const words = Array.from({ length: 3_000 }, (_, index) => `w${index}`).join(' ');
    expect(read(words)).toHaveLength(48);
    expect(read('x'.repeat(16_000))).toEqual([]);
    expect(read('. '.repeat(8_000))).toEqual([]);
  });
});

describe('an expression of several words', () => {
  it('is asked for by what it means, and by its own words only as they stand there', () => {
    expect(read('send the card back')).toEqual([
      { term: 'return', kind: 'word', substitutes: [] },
      { term: 'item', kind: 'word', substitutes: [] },
      { term: 'send', kind: 'everyday', substitutes: [] },
      { term: 'back', kind: 'everyday', substitutes: [] },
      { term: 'card', kind: 'word', substitutes: [] },
    ]);
  });
});

describe('partSaid', () => {
  it.each([
    ['how much is the parcel?', 'A parcel costs £3.00.', 1],
    ['the blue parcel', 'A parcel.', 1],
    ['parcel insurance', 'A parcel.', 0.5],
    ['insurance', 'A parcel.', 0],
    ['blue or green', 'Green.', 0.5],
    ['and then?', 'A parcel.', 0],
  ])('of %j in %j is %d', (question, text, part) => {
    expect(partSaid(question, text)).toBe(part);
  });
});
