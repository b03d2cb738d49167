import { setImmediate } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import MiniSearch, { type SearchResult } from 'minisearch';
import { coverageOf } from './coverage.ts';
import { articleOf, type Chunk, type Passage } from './passage.ts';
import { type AskedTerm, readQuestion } from './question.ts';
import { Spelling } from './spelling.ts';
import { contentTerms, normalizeTerm, splitWords } from './terms.ts';

/** How well a word stands for another that begins with it, or that it may be a typo of. */
const inexactMatch = 0.6;

/** What finding an everyday word adds to a score, against any other word. */
const everydayBoost = 0.4;

/** What finding a substitute adds: a word that has many shall not count many times. */
const substituteBoost = 0.6;

/** The least of the coverage of an article's beginning by a question of nothing but words of its title. */
const topicCoverage = 0.6;

/** So many of the best by score alone may become the best by coverage too. */
const candidates = 30;

/** Questions whose passages are kept: many customers ask the same, and repeats and retries ask again. */
const keptQuestions = 1_000;

/** Longer questions are hardly asked twice, and would take much room. */
const keptLength = 1_000;

/** How long building may hold up everything else. */
const buildSliceMs = 10;

export interface SearchOptions {
  /** At most this many passages, best first; 5 unless given. */
  readonly limit?: number;
}

/** Where an agent looks for what it may say. */
export interface Knowledge {
  search(question: string, options?: SearchOptions): Passage[];
}

interface Section {
  readonly chunk: Chunk;
  /** All that it has, its title and heading included. */
  readonly terms: ReadonlySet<string>;
  readonly heading: readonly string[];
  /** The title's, of the section that an article begins with. */
  readonly topic: ReadonlySet<string> | null;
}

/**
 * Articles in memory, searched with BM25+, by prefix, with typos and by words of the same meaning.
 * Never changes once made.
 */
export class KnowledgeBase implements Knowledge {
  readonly #sections = new Map<string, Section>();
  readonly #index = new MiniSearch<Chunk>({
    fields: ['title', 'heading', 'text'],
    tokenize: splitWords,
    processTerm: normalizeTerm,
  });
  readonly #articles = new Set<string>();
  /** In how many sections each term stands. */
  readonly #frequency = new Map<string, number>();
  readonly #spelling = new Spelling();
  readonly #rarities = new Map<string, number>();
  readonly #kept = new LRUCache<string, readonly Passage[]>({ max: keptQuestions });

  constructor(chunks: readonly Chunk[]) {
    for (const chunk of chunks) this.#add(chunk);
  }

  /** The same for many chunks, while others get on with their work. */
  static async build(chunks: readonly Chunk[]): Promise<KnowledgeBase> {
    const base = new KnowledgeBase([]);
    let paused = performance.now();
    for (const chunk of chunks) {
      base.#add(chunk);
      if (performance.now() - paused < buildSliceMs) continue;
      await setImmediate();
      paused = performance.now();
    }
    return base;
  }

  /** How many sections there are. */
  get size(): number {
    return this.#sections.size;
  }

  /** How many articles they come from. */
  get articles(): number {
    return this.#articles.size;
  }

  search(question: string, { limit = 5 }: SearchOptions = {}): Passage[] {
    const name = `${limit} ${question}`;
    const kept = this.#kept.get(name);
    if (kept !== undefined) return [...kept];
    const asked = readQuestion(question, this.#isKnown, this.#spelling);
    const found = this.#find(asked)
      .slice(0, Math.max(candidates, limit))
      .flatMap((result) => this.#passage(asked, result) ?? [])
      .sort((a, b) => b.score - a.score);
    const passages = this.#withNamed(this.#withTopic(found, asked), asked).slice(0, limit);
    if (question.length <= keptLength) this.#kept.set(name, passages);
    return [...passages];
  }

  #add(chunk: Chunk): void {
    this.#index.add(chunk);
    const text = `${chunk.title}\n${chunk.heading}\n${chunk.text}`;
    const terms = new Set(contentTerms(text));
    this.#spelling.add(text);
    const article = articleOf(chunk.id);
    const topic = this.#articles.has(article) ? null : new Set(contentTerms(chunk.title));
    this.#articles.add(article);
    this.#sections.set(chunk.id, { chunk, terms, heading: contentTerms(chunk.heading), topic });
    for (const term of terms) this.#frequency.set(term, (this.#frequency.get(term) ?? 0) + 1);
    this.#rarities.clear();
    this.#kept.clear();
  }

  #find(asked: readonly AskedTerm[]): SearchResult[] {
    const written = new Set(asked.map(({ term }) => term));
    const boosts = boostsOf(asked);
    // Prefixes and typos are for what nobody wrote in an article: a word that stands there is meant.
    const isUnknown = (term: string) => written.has(term) && !this.#isKnown(term);
    return this.#index.search([...boosts.keys()].join(' '), {
      tokenize: (text) => text.split(' '),
      processTerm: (term) => term,
      boost: { heading: 2 },
      boostTerm: (term) => boosts.get(term) ?? 1,
      prefix: (term) => isUnknown(term) && term.length > 3,
      fuzzy: (term) => isUnknown(term) && edits(term),
      weights: { prefix: 0.5, fuzzy: 0.5 },
    });
  }

  #passage(asked: readonly AskedTerm[], result: SearchResult): Passage | undefined {
    const section = this.#sections.get(result.id);
    if (section === undefined) return undefined;
    const matches = asked.map((one) => ({ asked: one, match: matchOf(one, section, result) }));
    const coverage = coverageOf(matches, section.heading, this.#rarity);
    const score = result.score * coverage;
    return { ...section.chunk, score: round(score), coverage: round(coverage) };
  }

  /**
   * Who writes no more than what an article is about is told its beginning, unless another section is about
   * just that: "return policy".
   */
  #withTopic(found: readonly Passage[], asked: readonly AskedTerm[]): readonly Passage[] {
    const [best] = found;
    if (best === undefined || best.coverage >= topicCoverage) return found;
    const topic = found.find(({ id }) => {
      const words = this.#sections.get(id)?.topic;
      return asked.every(({ term }) => words?.has(term));
    });
    if (topic === undefined) return found;
    const others = found.filter((passage) => passage !== topic);
    return [{ ...topic, score: best.score, coverage: topicCoverage }, ...others];
  }

  /** Of an article's sections one that is headed with the question's words, and no others, is meant. */
  #withNamed(found: readonly Passage[], asked: readonly AskedTerm[]): readonly Passage[] {
    const [best] = found;
    if (best === undefined) return found;
    const named = found.find(({ id }) => {
      const heading = this.#sections.get(id)?.heading;
      const isNamed =
        heading?.length === asked.length && asked.every(({ term }) => heading.includes(term));
      return isNamed && articleOf(id) === articleOf(best.id);
    });
    if (named === undefined || named === best) return found;
    const others = found.filter((passage) => passage !== named);
    return [{ ...named, score: best.score }, ...others];
  }

  readonly #isKnown = (term: string): boolean => this.#frequency.has(term);

  /** Inverse document frequency, as a part of what a term has that no section has. */
  readonly #rarity = (term: string): number => {
    const frequency = this.#frequency.get(term);
    if (frequency === undefined) return 1;
    const known = this.#rarities.get(term);
    if (known !== undefined) return known;
    const rarity = Math.log1p(this.size / (frequency + 0.5)) / Math.log1p(this.size / 0.5);
    this.#rarities.set(term, rarity);
    return rarity;
  };
}

/** How many edits a typo may be away. */
function edits(term: string): number | false {
  if (term.length < 4 || /\d/.test(term)) return false;
  return term.length < 6 ? 1 : 2;
}

/** What each term that is looked up counts. */
function boostsOf(asked: readonly AskedTerm[]): Map<string, number> {
  const boosts = new Map<string, number>();
  for (const { term, kind, certainty, substitutes } of asked) {
    const own = certainty * (kind === 'everyday' ? everydayBoost : 1);
    for (const { terms, match } of [{ terms: [term], match: 1 }, ...substitutes]) {
      const boost = own * match * (terms.includes(term) ? 1 : substituteBoost);
      for (const each of terms) boosts.set(each, Math.max(boosts.get(each) ?? 0, boost));
    }
  }
  return boosts;
}

function matchOf(asked: AskedTerm, section: Section, result: SearchResult): number {
  const { term, certainty, substitutes } = asked;
  if (section.terms.has(term)) return certainty;
  const found = substitutes.filter(({ terms }) => terms.every((each) => section.terms.has(each)));
  const inexact = result.queryTerms.includes(term) ? inexactMatch : 0;
  return certainty * Math.max(inexact, ...found.map(({ match }) => match));
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
