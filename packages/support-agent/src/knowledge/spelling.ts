import { everydayWords } from './everyday-words.ts';
import { expressionWords } from './expressions.ts';
import { baseForms } from './irregular-forms.ts';
import { lookalikes } from './lookalikes.ts';
import { stopWords } from './stop-words.ts';
import { substituteWords } from './synonyms.ts';
import { formsOf, plainForm, splitWords } from './terms.ts';

/**
 * The ways to get one letter of a word wrong, the likeliest first, and how long what was typed has to be:
 * the shorter a word is, the more others look like it that are right and only not known.
 */
const slips = [
  { slip: 'swapped', minLength: 4 },
  { slip: 'forgotten', minLength: 4 },
  { slip: 'doubled', minLength: 5 },
  { slip: 'vowel', minLength: 6 },
  { slip: 'added', minLength: 6 },
  { slip: 'mistaken', minLength: 8 },
  { slip: 'swapped first', minLength: 5 },
] as const;

/** Of two words as near, one that stands so many times as often in the articles is meant. */
const oftener = 4;

type Slip = (typeof slips)[number]['slip'];

/** Words as they are written, by which one is known that is not. */
export class Spelling {
  readonly #words = new Set<string>();
  /** How often each stands there, in whatever form. */
  readonly #bases = new Map<string, number>();
  /** By length and first letter, so that few are compared with what was typed. */
  readonly #alike = new Map<string, string[]>();

  constructor(text = '') {
    this.add(text);
  }

  /** Takes the words of a text for rightly spelled. */
  add(text: string): void {
    for (const word of splitWords(text)) {
      const plain = plainForm(word);
      const { base } = formsOf(word);
      this.#bases.set(base, this.count(base) + 1);
      if (this.#words.has(plain)) continue;
      this.#words.add(plain);
      const name = nameOf(plain.length, plain[0]);
      const others = this.#alike.get(name);
      if (others === undefined) this.#alike.set(name, [plain]);
      else others.push(plain);
    }
  }

  /** Whether it has the word, or a form of it. */
  has(word: string): boolean {
    return this.#words.has(plainForm(word)) || this.#bases.has(formsOf(word).base);
  }

  /** How often a base stands in its texts. */
  count(base: string): number {
    return this.#bases.get(base) ?? 0;
  }

  /** The words that are one slip away, with the slip. The first letter is hardly ever the wrong one. */
  near(typed: string): (readonly [Slip, string])[] {
    const { length } = typed;
    const names = [length - 1, length, length + 1].map((other) => nameOf(other, typed[0]));
    if (typed[1] !== typed[0]) names.push(nameOf(length, typed[1]));
    return names.flatMap((name) =>
      (this.#alike.get(name) ?? []).flatMap((word) => {
        const slip = slipBetween(typed, word);
        return slip === null ? [] : [[slip, word] as const];
      }),
    );
  }
}

function nameOf(length: number, letter = ''): string {
  return `${length}${letter}`;
}

/** What is known whatever the articles say. */
const common = new Spelling(
  [
    ...stopWords,
    everydayWords,
    ...expressionWords,
    ...substituteWords,
    ...[...baseForms].flat(),
  ].join(' '),
);
/** … and what is known, but never what was meant. */
const uncommon = new Spelling(lookalikes);

/**
 * The word that was meant by one that nobody knows, where the likeliest slip leads to no other as likely;
 * `null` for all others. Slips are those of F. J. Damerau, "A technique for computer detection and correction
 * of spelling errors" (1964): two letters swapped, one missing, one too many, one for another.
 *
 * @param own the words of the articles.
 */
export function correct(word: string, own: Spelling): string | null {
  const typed = plainForm(word);
  const isKnown = [common, uncommon, own].some((words) => words.has(word));
  if (isKnown || /[^a-z]/.test(typed)) return null;
  const near = [...own.near(typed), ...common.near(typed)];
  for (const { slip, minLength } of slips) {
    const words = near.flatMap(([made, meant]) => (made === slip ? [meant] : []));
    if (typed.length < minLength || words.length === 0) continue;
    return oftenest(words, own);
  }
  return null;
}

/** The word that stands in the articles much oftener than all others which are no forms of it. */
function oftenest(words: readonly string[], own: Spelling): string | null {
  const bases = new Map(words.map((word) => [formsOf(word).base, word]));
  const [first, second] = [...bases]
    .map(([base, word]) => ({ word, count: own.count(base) + 1 }))
    .sort((a, b) => b.count - a.count);
  if (first === undefined) return null;
  const isClear = second === undefined || first.count >= second.count * oftener;
  return isClear ? first.word : null;
}

/** By which single slip a word became what was typed, if by one. */
function slipBetween(typed: string, word: string): Slip | null {
  let from = 0;
  while (from < typed.length && typed[from] === word[from]) from += 1;
  let [typedEnd, wordEnd] = [typed.length, word.length];
  while (typedEnd > from && wordEnd > from && typed[typedEnd - 1] === word[wordEnd - 1]) {
    typedEnd -= 1;
    wordEnd -= 1;
  }
  const wrong = typed.slice(from, typedEnd);
  const right = word.slice(from, wordEnd);
  if (wrong.length > 2 || right.length > 2) return null;
  if (wrong.length === 0) return right.length === 1 ? 'forgotten' : null;
  if (right.length === 0 && wrong.length === 1) {
    if (typed[from - 1] === wrong) return 'doubled';
    // What ends otherwise is another form, or another word.
    return typedEnd < typed.length ? 'added' : null;
  }
  if (right.length === 1 && wrong.length === 1) {
    if (from === 0 || typedEnd === typed.length) return null;
    return /^[aeiou]{2}$/.test(wrong + right) ? 'vowel' : 'mistaken';
  }
  if (wrong.length !== 2 || wrong[0] !== right[1] || wrong[1] !== right[0]) return null;
  return from === 0 ? 'swapped first' : 'swapped';
}
