import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { findArticles } from './article-files.ts';
import { expressionWords } from './expressions.ts';
import { bundledKnowledge } from './load-knowledge.ts';
import { correct, Spelling } from './spelling.ts';
import { formsOf } from './terms.ts';

const own = new Spelling();

beforeAll(async () => {
  const { files } = await findArticles(bundledKnowledge);
  for (const { path } of files) own.add(await readFile(path, 'utf8'));
});

describe('correct', () => {
  it.each([
    ['parcle', 'parcel', 'two letters swapped'],
    ['aprcel', 'parcel', 'the first two swapped'],
    ['pasword', 'password', 'a letter missing'],
    ['passsword', 'password', 'a letter doubled'],
    ['shiippment', null, 'more than one slip'],
    ['delivary', 'delivery', 'another vowel'],
    ['delivwery', 'delivery', 'a letter more'],
    ['waterproov', null, 'another ending'],
    ['addreds', null, 'another letter in a short word'],
    ['warehiuse', 'warehouse', 'another letter in a long word'],
    ['xarcel', null, 'another first letter'],
    ['PARCLE', 'parcel', 'capitals'],
    ['becuase', 'because', 'no article needed'],
    ['paercl', null, 'two slips'],
    ['lsoe', 'lose', 'four letters'],
    ['teh', null, 'too short'],
    ['p4rcel', null, 'a digit'],
    ['', null, 'nothing'],
  ])('takes %j for %j: %s', (typed, meant, _case) => {
    expect(correct(typed, own)).toBe(meant);
  });

  it('leaves alone what two other words are as near to', () => {
    expect(correct('tabel', new Spelling('table label'))).toBe('table');
    expect(correct('sotre', new Spelling('soter'))).toBeNull();
    expect(correct('bleon', new Spelling('belon bloen'))).toBeNull();
    expect(correct('bleon', new Spelling('belon'))).toBe('belon');
    const often = 'belon '.repeat(7);
    expect(correct('bleon', new Spelling(`${often} bloen`))).toBe('belon');
    expect(correct('bleon', new Spelling(`${often} bloen bloen`))).toBeNull();
  });

  it.each([
    'parcel parcels posted posting everywhere',
    'netflix amazon ebay google facebook instagram bitcoin vegan kayak',
    'smith johnson schmidt olsen nguyen mohammed kowalski francesca',
    'zelt regenschirm wanderschuhe chaussure sac tente montagne botella',
    'hotel battle trial angle printer exit love cancer contract powder joke poem football penguin python',
  ])('leaves words alone that are right: %s', (words) => {
    expect(words.split(' ').filter((word) => correct(word, own) !== null)).toEqual([]);
  });
});

describe('a slip in a word of an expression', () => {
  const words = [...new Set(expressionWords)].filter((word) => word.length >= 5);

  /** All that one slip makes of a word, but what begins with another letter. */
  const made: Readonly<Record<string, (word: string, at: number) => string>> = {
    swapped: (word, at) =>
      word.slice(0, at - 1) + word.charAt(at) + word.charAt(at - 1) + word.slice(at + 1),
    missing: (word, at) => word.slice(0, at) + word.slice(at + 1),
    doubled: (word, at) => word.slice(0, at) + word.charAt(at) + word.slice(at),
  };

  it('is mended for most of them, and seldom makes another word', () => {
    const figures = Object.entries(made).map(([slip, make]) => {
      const typed = words.flatMap((word) =>
        Array.from(
          { length: word.length - 1 },
          (_, index) => [word, make(word, index + 1)] as const,
        ),
      );
      const wrong = typed.filter(([word, variant]) => formsOf(word).base !== formsOf(variant).base);
      const outcomes = wrong.map(([word, variant]) => {
        const base = formsOf(correct(variant, own) ?? variant).base;
        return base === formsOf(word).base ? 'mended' : correct(variant, own) ? 'other' : 'left';
      });
      const part = (kind: string) => outcomes.filter((one) => one === kind).length / wrong.length;
      return { slip, mended: part('mended'), other: part('other') };
    });
    const lines = figures.map(
      ({ slip, mended, other }) =>
        `  ${slip.padEnd(10)}${(mended * 100).toFixed(1).padStart(6)} %, to another one ${(other * 100).toFixed(1)} %`,
    );
    console.info(['A slip in a word of an expression is mended', ...lines].join('\n'));
    for (const { mended, other } of figures) {
      expect(mended).toBeGreaterThanOrEqual(0.85);
      expect(other).toBeLessThanOrEqual(0.03);
    }
  });
});
