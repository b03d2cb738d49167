import { describe, expect, it } from 'vitest';
import { contentTerms, queryTerms } from './terms.ts';

describe('contentTerms', () => {
  it('leaves out words without a meaning of their own', () => {
    expect(contentTerms("Hello, I don't know what you want from me, please!")).toEqual([]);
  });

  it.each([
    ['return', 'returns returned returning Return'],
    ['ship', 'ship ships shipped shipping'],
    ['charg', 'charge charged charges charging'],
    ['delivery', 'delivery deliveries'],
    ['address', 'address addresses'],
    ['refus', 'refuse refused refusing refuses'],
    ['brul', 'brûlé brule'],
  ])('brings the forms of a word together: %s', (term, words) => {
    expect(contentTerms(words)).toEqual([term]);
  });

  it('keeps numbers and codes as they are', () => {
    expect(contentTerms('order FF-20418837, 60 days')).toEqual([
      'order',
      'ff',
      '20418837',
      '60',
      'day',
    ]);
  });

  it('keeps words of other scripts', () => {
    expect(contentTerms('где заказ')).toEqual(['где', 'заказ']);
  });
});

describe('queryTerms', () => {
  it('bounds what one message can cost: no endless word, and not more than 48 terms', () => {
    expect(queryTerms('x'.repeat(16_000))).toEqual([]);
    const words = Array.from({ length: 3_000 }, (_, index) => `w${index}`).join(' ');
    expect(queryTerms(words)).toHaveLength(48);
  });

  it('ignores 10,000 combining marks', () => {
    expect(queryTerms(`refund${'\u0301'.repeat(10_000)}`)).toEqual(['refund']);
  });
});
