import { everydayWords } from './everyday-words.ts';
import { expressionsIn } from './expressions.ts';
import { type Substitute, substitutesFor } from './synonyms.ts';
import { contentTerms, formsOf, maxQueryTerms, normalizeTerm, wordPattern } from './terms.ts';

const minCompoundLength = 7;
const minPartLength = 3;

/** How well two words stand for the one that they are written as: "giftcard". */
const compoundMatch = 0.8;

/** A name is a word that no article has, written with a capital where no sentence begins. */
export type TermKind = 'word' | 'everyday' | 'number' | 'name';

/** A word of a question that is looked up. */
export interface AskedTerm {
  readonly term: string;
  readonly kind: TermKind;
  /** What may stand for it; only of terms that some article has. */
  readonly substitutes: readonly Substitute[];
}

interface Word {
  readonly text: string;
  readonly term: string | null;
  readonly base: string;
  readonly beginsSentence: boolean;
  /** Written right after a space or hyphen, so that it may belong to the word before. */
  readonly isAttached: boolean;
}

/**
 * The first content words of a question, each once, in its order.
 *
 * @param isKnown whether any article has a term.
 */
export function readQuestion(question: string, isKnown: (term: string) => boolean): AskedTerm[] {
  const words = readWords(question);
  const marksNames = usesCapitalsSparingly(words);
  const asked = new Map<string, { kind: TermKind; substitutes: Substitute[] }>();
  const ask = (term: string, kind = kindOf(term)) => {
    const found = asked.get(term) ?? { kind, substitutes: knownSubstitutes(term, isKnown) };
    asked.set(term, found);
    return found;
  };
  const expressions = expressionsIn(words.map(({ base }) => base));
  for (const term of expressions.flatMap(({ meant }) => meant)) ask(term, 'word');
  // What an expression is made of is looked for as it stands there, and is no great loss.
  for (const at of expressions.flatMap(({ positions }) => positions)) {
    const term = words[at]?.term ?? null;
    if (term !== null && !asked.has(term)) asked.set(term, { kind: 'everyday', substitutes: [] });
  }
  for (const [index, word] of words.entries()) {
    if (word.term !== null) {
      const mayBeName = marksNames && !word.beginsSentence && isCapitalized(word);
      ask(word.term, mayBeName && !isKnown(word.term) ? 'name' : undefined);
    }
    const before = words[index - 1];
    if (before === undefined || !word.isAttached) continue;
    const joined = normalizeTerm(before.text + word.text);
    if (joined === null || !isKnown(joined)) continue;
    for (const { term } of [before, word]) {
      if (term !== null) addJoined(ask(term).substitutes, joined);
    }
  }
  return [...asked].slice(0, maxQueryTerms).map(([term, found]) => ({ term, ...found }));
}

/** The part of a question's words that a text has, from 0 to 1: of everyday words if there are no others. */
export function partSaid(question: string, text: string): number {
  const terms = new Set(contentTerms(text));
  const asked = readQuestion(question, (term) => terms.has(term));
  const words = asked.filter(({ kind }) => kind !== 'everyday');
  const counted = words.length > 0 ? words : asked;
  const found = counted.filter(
    ({ term, substitutes }) => terms.has(term) || substitutes.length > 0,
  );
  return counted.length === 0 ? 0 : found.length / counted.length;
}

function addJoined(substitutes: Substitute[], joined: string): void {
  const isThere = substitutes.some(({ terms, match }) => match === 1 && terms.includes(joined));
  if (!isThere) substitutes.push({ terms: [joined], match: 1 });
}

function readWords(question: string): Word[] {
  const words: Word[] = [];
  const terms = new Set<string>();
  let end = 0;
  for (const { 0: text, index } of question.matchAll(wordPattern)) {
    const gap = question.slice(end, index);
    end = index + text.length;
    const { term, base } = formsOf(text);
    if (term !== null && terms.add(term).size > maxQueryTerms) break;
    const beginsSentence = words.length === 0 || /[.!?:"“”‘’'\n]/.test(gap);
    words.push({ text, term, base, beginsSentence, isAttached: /^[\s-]$/.test(gap) });
  }
  return words;
}

/** Whether a capital tells a name from other words: not so in a shouted message, or in a headline. */
function usesCapitalsSparingly(words: readonly Word[]): boolean {
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
