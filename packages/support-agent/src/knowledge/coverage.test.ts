import { describe, expect, it } from 'vitest';
import { coverageOf, type Match } from './coverage.ts';
import type { TermKind } from './question.ts';

function matchOf(term: string, match: number, kind: TermKind = 'word'): Match {
  return { asked: { term, kind, certainty: 1, substitutes: [] }, match };
}

const rarity = () => 0.8;

function coverage(matches: readonly Match[], heading: readonly string[] = ['heading']): number {
  return coverageOf(matches, heading, rarity);
}

describe('coverageOf', () => {
  it('lies between 0 and 1, and is 0 when nothing was asked or found', () => {
    expect(coverage([])).toBe(0);
    expect(coverage([matchOf('a', 0)])).toBe(0);
    const all = Array.from({ length: 40 }, (_, index) => matchOf(`t${index}`, 1));
    const most = coverage(all, ['t1']);
    expect(most).toBeGreaterThan(0.95);
    expect(most).toBeLessThan(1);
  });

  it('falls with each word that is missing, and with less exact matches', () => {
    const found = matchOf('a', 1);
    expect(coverage([found, matchOf('b', 1)])).toBeGreaterThan(
      coverage([found, matchOf('b', 0.6)]),
    );
    expect(coverage([found, matchOf('b', 0.6)])).toBeGreaterThan(
      coverage([found, matchOf('b', 0)]),
    );
  });

  it('rises where the heading says what was asked', () => {
    const matches = [matchOf('a', 1), matchOf('b', 0)];
    expect(coverage(matches, ['a'])).toBeGreaterThan(coverage(matches, ['a', 'c']));
    expect(coverage(matches, ['a', 'c'])).toBeGreaterThan(coverage(matches, ['c']));
  });

  it('takes a missing name hardest, then a word, a number, an everyday word', () => {
    const kinds = ['everyday', 'number', 'word', 'name'] as const;
    const figures = kinds.map((kind) => coverage([matchOf('a', 1), matchOf('b', 0, kind)]));
    expect(figures).toEqual([...new Set(figures)].sort((a, b) => b - a));
  });

  it('takes everyday words alone for little', () => {
    const everyday = [matchOf('a', 1, 'everyday'), matchOf('b', 1, 'everyday')];
    expect(coverage(everyday)).toBeLessThan(0.5);
    expect(coverage([matchOf('c', 1)])).toBeGreaterThan(coverage(everyday));
    expect(coverage([...everyday, matchOf('c', 1)])).toBeGreaterThan(0.5);
  });

  it('does not hold a long story’s words against it as often as it has them', () => {
    const missing = (count: number) =>
      Array.from({ length: count }, (_, index) => matchOf(`m${index}`, 0));
    const found = matchOf('a', 1);
    const [none = 0, one = 0, ten = 0] = [0, 1, 10].map((n) => coverage([found, ...missing(n)]));
    expect(one / ten).toBeLessThan((none / one) ** 10);
    expect(ten).toBeGreaterThan(0.1);
  });
});
