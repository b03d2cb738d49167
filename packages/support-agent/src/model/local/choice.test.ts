import { describe, expect, it } from 'vitest';
import { askBack, offeredBy, picked } from './choice.ts';

const passage = (title: string, heading: string) => ({
  id: `${title}#${heading}`,
  title,
  heading,
  text: 'Text.',
  score: 1,
  coverage: 1,
});

const labels = ['Book hire equipment', 'Book a place'] as const;

describe('askBack', () => {
  it('names both headings, and is understood when it is read again', () => {
    const text = askBack([passage('Hire', labels[0]), passage('Walks', labels[1])]);
    expect(text).toBe('Do you mean “Book hire equipment” or “Book a place”?');
    expect(offeredBy(`Hello! ${text}`)).toEqual(labels);
  });

  it('tells sections of one heading apart by their articles', () => {
    const text = askBack([passage('Hire', 'Prices'), passage('Walks', 'Prices')]);
    expect(text).toBe('Do you mean “Hire: Prices” or “Walks: Prices”?');
  });

  it('is not read in another answer', () => {
    expect(offeredBy('Do you mean it?')).toBeNull();
    expect(offeredBy('')).toBeNull();
  });
});

describe('picked', () => {
  it.each([
    'the first',
    'First one!',
    '1',
    'option 1',
    'hire',
    'hire equipment please',
    'equipment',
  ])('takes %j for the first', (text) => {
    expect(picked(labels, text)).toEqual([labels[0]]);
  });

  it.each(['the second one', '2', 'the latter', 'a place', 'Book a place', 'a place on a walk'])(
    'takes %j for the second',
    (text) => {
      expect(picked(labels, text)).toEqual([labels[1]]);
    },
  );

  it.each(['both', 'Both of them please', 'yes', 'either'])('takes %j for both', (text) => {
    expect(picked(labels, text)).toEqual(labels);
  });

  it.each([
    'book',
    'neither',
    'How long does a refund take?',
    'Is there a place to park bicycles?',
    '',
  ])('takes %j for something else', (text) => {
    expect(picked(labels, text)).toBeNull();
  });
});
