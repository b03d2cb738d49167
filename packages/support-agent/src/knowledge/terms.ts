import { LRUCache } from 'lru-cache';
import { baseForms } from './irregular-forms.ts';
import { stopWords } from './stop-words.ts';

/**
 * Fuzzy matching needs memory in the square of a word's length, and searching takes time per word:
 * these bounds keep a 16 KB message as cheap as a long question.
 */
const maxTermLength = 32;
export const maxQueryTerms = 48;

export const wordPattern = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:['’]\p{L}+)?/gu;

export function splitWords(text: string): string[] {
  return text.match(wordPattern) ?? [];
}

/** The form in which a word is indexed and looked up, or `null` when it carries no meaning of its own. */
export function normalizeTerm(word: string): string | null {
  return formsOf(word).term;
}

export interface WordForms {
  /** As `normalizeTerm` has it. */
  readonly term: string | null;
  /** The same of any word, whether or not it has a meaning of its own. */
  readonly base: string;
}

/** A few words make up most of what is said (Zipf's law), and to stem one takes a while. */
const kept = new LRUCache<string, WordForms>({ max: 5_000 });

export function formsOf(word: string): WordForms {
  const known = kept.get(word);
  if (known !== undefined) return known;
  if (word.length > maxTermLength) return findForms(word);
  // A piece of a text holds on to all of it; a copy does not.
  const own = Buffer.from(word).toString();
  const forms = findForms(own);
  kept.set(own, forms);
  return forms;
}

function findForms(word: string): WordForms {
  const plain = plainForm(word);
  if (plain === '' || plain.length > maxTermLength) return { term: null, base: plain };
  const base = stem(baseForms.get(plain) ?? plain);
  return { term: stopWords.has(plain) ? null : base, base };
}

/** A word in lower case, without accents and apostrophes. */
export function plainForm(word: string): string {
  const lower = word.toLowerCase();
  if (/^[a-z\d]*$/.test(lower)) return lower;
  return word
    .normalize('NFKD')
    .replace(/['’]s$/i, '')
    .replace(/[\p{M}'’]/gu, '')
    .toLowerCase();
}

/** The distinct content words of a text, normalised, in the order in which they first appear. */
export function contentTerms(text: string): string[] {
  const terms = new Set<string>();
  for (const word of splitWords(text)) {
    const term = normalizeTerm(word);
    if (term !== null) terms.add(term);
  }
  return [...terms];
}

export function queryTerms(question: string): string[] {
  return contentTerms(question).slice(0, maxQueryTerms);
}

/**
 * Plurals, -ed, -ing and the final -e, after steps 1a, 1b and 5a of M. F. Porter, "An algorithm for
 * suffix stripping" (1980). Prefix search finds what the other steps would.
 */
function stem(word: string): string {
  if (word.length <= 3 || /\d/.test(word)) return word;
  const singular = word
    .replace(/ies$/, 'y')
    .replace(/(ss|x|ch|sh|z)es$/, '$1')
    .replace(/([^su])s$/, '$1');
  const base = singular.replace(/(?<=[aeiouy].*[^e])(?:ed|ing)$/, '');
  const undoubled = base === singular ? base : base.replace(/([^aeioulsz])\1$/, '$1');
  return undoubled.length > 3 ? undoubled.replace(/(?:e|(?<=l)l)$/, '') : undoubled;
}
