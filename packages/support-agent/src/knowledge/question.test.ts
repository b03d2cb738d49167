import { describe, expect, it, vi } from 'vitest';
import { partSaid, readQuestion, sharesWord, wordsOf } from './question.ts';
import { Spelling } from './spelling.ts';

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
  return readQuestion(
    question,
    (term) => articles.has(term),
    new Spelling([...articles].join(' ')),
  );
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
    expect(read('giftzzcard')[0]?.substitutes).toEqual([]);
    expect(read('parcelcard')[0]?.substitutes).toEqual([{ ...parts, terms: ['parcel', 'card'] }]);
    expect(read('i cannot check out, check out or check out')[0]).toEqual({
      term: 'check',
      kind: 'everyday',
      certainty: 1,
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

describe('a word that is spelled wrong', () => {
  it('is asked for as the one that was meant, a little less surely', () => {
    const parcel = { term: 'parcel', kind: 'word', substitutes: [] };
    expect(read('parcle')).toEqual([{ ...parcel, certainty: 0.9 }]);
    expect(read('parcel')).toEqual([{ ...parcel, certainty: 1 }]);
    expect(kindOf('yesterday', 'yesteday')).toBe('everyday');
    expect(read('becuase')).toEqual([]);
  });

  it('makes an expression all the same', () => {
    const meant = read('where is my parcel').map(({ term }) => term);
    expect(meant).toContain('track');
    for (const question of ['where is my parcle', 'wehre is my parcel']) {
      expect(read(question).map(({ term }) => term)).toEqual(meant);
    }
  });

  it('is left as it is where it may be a name', () => {
    expect(kindOf('parcl', 'my friend called Parcle')).toBe('name');
  });

  it('is not looked for more often than words are asked for, however long the message', () => {
    const spelling = new Spelling('parcel');
    const near = vi.spyOn(spelling, 'near');
    const letters = [...'abcdefghijklmnopqrstuvwxyz'];
    const words = letters.flatMap((one) => letters.map((other) => `zq${one}x${other}q`));
    readQuestion([...words, ...words].join(' '), () => false, spelling);
    readQuestion('parcle PARCLE Parcle '.repeat(800), () => false, spelling);
    expect(near.mock.calls.length).toBeLessThanOrEqual(48 + 1);
  });
});

describe('an expression of several words', () => {
  it('is asked for by what it means, and by its own words only as they stand there', () => {
    expect(read('send the card back')).toEqual([
      { term: 'return', kind: 'word', certainty: 1, substitutes: [] },
      { term: 'item', kind: 'word', certainty: 1, substitutes: [] },
      { term: 'send', kind: 'everyday', certainty: 1, substitutes: [] },
      { term: 'back', kind: 'everyday', certainty: 1, substitutes: [] },
      { term: 'card', kind: 'word', certainty: 1, substitutes: [] },
    ]);
  });
});

describe('sharesWord', () => {
  it.each([
    ['do i pay?', 'You pay.', true],
    ['do i pay?', 'We charge.', false],
    ['do they expier', 'They expire.', true],
    ['is it blue', 'Blue.', true],
    ['and then?', 'Then.', false],
  ])('of %j and %j is %s', (question, text, isShared) => {
    expect(sharesWord(question, text)).toBe(isShared);
  });
});

describe('wordsOf', () => {
  it('leaves out the words of a story', () => {
    expect(wordsOf('yesterday my sister bought the blue tent')).toEqual(['tent']);
    expect(wordsOf('how long does it take?')).toEqual([]);
  });
});

describe('partSaid', () => {
  it.each([
    ['how much is the parcel?', 'A parcel costs £3.00.', 0.95],
    ['the blue parcel', 'A parcel.', 1],
    ['parcel insurance', 'A parcel.', 0.5],
    ['insurance', 'A parcel.', 0],
    ['blue or green', 'Green.', 0.5],
    ['and then?', 'A parcel.', 0],
  ])('of %j in %j is %d', (question, text, part) => {
    expect(partSaid(question, text)).toBe(part);
  });
});
