import { everydayWords } from './everyday-words.ts';
import { expressionsIn } from './expressions.ts';
import { correct, Spelling } from './spelling.ts';
import { type Substitute, substitutesFor } from './synonyms.ts';
import { contentTerms, formsOf, maxQueryTerms, normalizeTerm, wordPattern } from './terms.ts';

const minCompoundLength = 7;
const minPartLength = 3;

/** How well two words stand for the one that they are written as: "giftcard". */
const compoundMatch = 0.8;

/** How well a word stands for one that is a single slip away. */
const correctedMatch = 0.9;

/** A name is a word that no article has, written with a capital where no sentence begins. */
export type TermKind = 'word' | 'everyday' | 'number' | 'name';

/** A word of a question that is looked up. */
export interface AskedTerm {
  readonly term: string;
  readonly kind: TermKind;
  /** How likely it is the one that was meant, from 0 to 1: less where it was spelled otherwise. */
  readonly certainty: number;
  /** What may stand for it; only of terms that some article has. */
  readonly substitutes: readonly Substitute[];
}

interface Word {
  readonly text: string;
  readonly term: string | null;
  readonly base: string;
  /** As `AskedTerm` has it. */
  readonly certainty: number;
  /** Whether it is written as a name is. */
  readonly isName: boolean;
  /** Written right after a space or hyphen, so that it may belong to the word before. */
  readonly isAttached: boolean;
}

/** Where a word stands. */
interface Place {
  readonly beginsSentence: boolean;
}

const noWord = { term: null, certainty: 0 };

/**
 * The first content words of a question, each once, in its order.
 *
 * @param isKnown whether any article has a term.
 * @param spelling the words of the articles, as they are written there.
 */
export function readQuestion(
  question: string,
  isKnown: (term: string) => boolean,
  spelling: Spelling,
): AskedTerm[] {
  const words = corrected(readWords(question), isKnown, spelling);
  const asked = new Map<string, AskedTerm & { substitutes: Substitute[] }>();
  const ask = (term: string, certainty: number, kind = kindOf(term)) => {
    const found = asked.get(term) ?? {
      term,
      kind,
      certainty,
      substitutes: knownSubstitutes(term, isKnown),
    };
    asked.set(term, found);
    return found;
  };
  const expressions = expressionsIn(words.map(({ base }) => base));
  for (const term of expressions.flatMap(({ meant }) => meant)) ask(term, 1, 'word');
  // What an expression is made of is looked for as it stands there, and is no great loss.
  for (const at of expressions.flatMap(({ positions }) => positions)) {
    const { term, certainty } = words[at] ?? noWord;
    if (term === null || asked.has(term)) continue;
    asked.set(term, { term, kind: 'everyday', certainty, substitutes: [] });
  }
  for (const [index, word] of words.entries()) {
    const { term, certainty, isName } = word;
    if (term !== null) ask(term, certainty, isName && !isKnown(term) ? 'name' : undefined);
    const before = words[index - 1];
    if (before === undefined || !word.isAttached) continue;
    const joined = normalizeTerm(before.text + word.text);
    if (joined === null || !isKnown(joined)) continue;
    for (const one of [before, word]) {
      if (one.term !== null) addJoined(ask(one.term, one.certainty).substitutes, joined);
    }
  }
  return [...asked.values()].slice(0, maxQueryTerms);
}

/** The words of a question that are more than a story's. */
export function wordsOf(question: string): string[] {
  return contentTerms(question).filter((term) => !everydayTerms.has(term));
}

/**
 * The part of a question's words that a text has, from 0 to 1, less for what only stands for one: of
 * everyday words if there are no others.
 */
export function partSaid(question: string, text: string): number {
  const counted = countedIn(question, text);
  const said = counted.map(({ isSaid, substitutes }) =>
    isSaid ? 1 : Math.max(0, ...substitutes.map(({ match }) => match)),
  );
  return counted.length === 0 ? 0 : said.reduce((sum, one) => sum + one, 0) / counted.length;
}

/** Whether a text has one of those words itself, and not only what stands for one. */
export function sharesWord(question: string, text: string): boolean {
  return countedIn(question, text).some(({ isSaid }) => isSaid);
}

function countedIn(question: string, text: string): (AskedTerm & { readonly isSaid: boolean })[] {
  const terms = new Set(contentTerms(text));
  const asked = readQuestion(question, (term) => terms.has(term), new Spelling(text));
  const words = asked.filter(({ kind }) => kind !== 'everyday');
  const counted = words.length > 0 ? words : asked;
  return counted.map((one) => ({ ...one, isSaid: terms.has(one.term) }));
}

function addJoined(substitutes: Substitute[], joined: string): void {
  const isThere = substitutes.some(({ terms, match }) => match === 1 && terms.includes(joined));
  if (!isThere) substitutes.push({ terms: [joined], match: 1 });
}

/** With the words that are meant in the place of those that nobody knows. Names are as they are. */
function corrected(
  words: readonly Word[],
  isKnown: (term: string) => boolean,
  spelling: Spelling,
): Word[] {
  const known = new Map<string, string | null>();
  const meantBy = (term: string, text: string) => {
    const meant = known.get(term);
    if (meant !== undefined) return meant;
    const isWord = isKnown(term) || partsOf(term, isKnown) !== undefined;
    const found = isWord ? null : correct(text, spelling);
    known.set(term, found);
    return found;
  };
  return words.map((word) => {
    const meant = word.term === null || word.isName ? null : meantBy(word.term, word.text);
    return meant === null ? word : { ...word, ...formsOf(meant), certainty: correctedMatch };
  });
}

function readWords(question: string): Word[] {
  const words: (Word & Place)[] = [];
  const terms = new Set<string>();
  let end = 0;
  for (const { 0: text, index } of question.matchAll(wordPattern)) {
    const gap = question.slice(end, index);
    end = index + text.length;
    const { term, base } = formsOf(text);
    if (term !== null && terms.add(term).size > maxQueryTerms) break;
    const beginsSentence = words.length === 0 || /[.!?:"“”‘’'\n]/.test(gap);
    const isAttached = /^[\s-]$/.test(gap);
    words.push({ text, term, base, certainty: 1, isName: false, beginsSentence, isAttached });
  }
  if (!usesCapitalsSparingly(words)) return words;
  return words.map((word) => ({ ...word, isName: !word.beginsSentence && isCapitalized(word) }));
}

/** Whether a capital tells a name from other words: not so in a shouted message, or in a headline. */
function usesCapitalsSparingly(words: readonly (Word & Place)[]): boolean {
  const inside = words.filter(({ beginsSentence, text }) => !beginsSentence && text !== 'I');
  return inside.length < 3 || inside.filter(isCapitalized).length * 2 <= inside.length;
}

function isCapitalized({ text }: Word): boolean {
  return /^\p{Lu}/u.test(text);
}

const everydayTerms: ReadonlySet<string> = new Set(contentTerms(everydayWords));

function kindOf(term: string): TermKind {
  if (everydayTerms.has(term)) return 'everyday';
  return /^\d+$/.test(term) ? 'number' : 'word';
}

function knownSubstitutes(term: string, isKnown: (term: string) => boolean): Substitute[] {
  const known = substitutesFor(term).filter(({ terms }) => terms.every(isKnown));
  if (known.length > 0 || isKnown(term)) return known;
  const parts = partsOf(term, isKnown);
  return parts === undefined ? [] : [{ terms: parts, match: compoundMatch }];
}

function partsOf(term: string, isKnown: (term: string) => boolean): string[] | undefined {
  if (term.length < minCompoundLength) return undefined;
  for (let cut = minPartLength; cut <= term.length - minPartLength; cut += 1) {
    const parts = [term.slice(0, cut), term.slice(cut)].flatMap(
      (part) => normalizeTerm(part) ?? [],
    );
    if (parts.length === 2 && parts.every(isKnown)) return parts;
  }
  return undefined;
}
