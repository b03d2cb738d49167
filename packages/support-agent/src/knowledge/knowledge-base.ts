import MiniSearch, { type SearchResult } from 'minisearch';
import type { Chunk, Passage } from './passage.ts';
import { contentTerms, normalizeTerm, queryTerms, splitWords } from './terms.ts';

/** What a word counts that was found by its beginning or with a typo, against one found as written. */
const inexactMatch = 0.7;

export interface SearchOptions {
  /** At most this many passages, best first; 5 unless given. */
  readonly limit?: number;
}

/** Where an agent looks for what it may say. */
export interface Knowledge {
  search(question: string, options?: SearchOptions): Passage[];
}

/** Articles in memory, searched with BM25+, by prefix and with typos. Never changes once made. */
export class KnowledgeBase implements Knowledge {
  readonly #chunks: ReadonlyMap<string, Chunk>;
  readonly #index: MiniSearch<Chunk>;
  /** In how many chunks each term stands. */
  readonly #frequency = new Map<string, number>();

  constructor(chunks: readonly Chunk[]) {
    this.#chunks = new Map(chunks.map((chunk) => [chunk.id, chunk]));
    this.#index = new MiniSearch<Chunk>({
      fields: ['title', 'heading', 'text'],
      tokenize: splitWords,
      processTerm: normalizeTerm,
      searchOptions: {
        boost: { title: 1.5, heading: 2 },
        prefix: (term) => term.length > 3,
        fuzzy: (term) => (term.length < 4 || /\d/.test(term) ? false : term.length < 6 ? 1 : 2),
        weights: { prefix: 0.5, fuzzy: 0.3 },
      },
    });
    for (const chunk of this.#chunks.values()) {
      this.#index.add(chunk);
      for (const term of contentTerms(`${chunk.title}\n${chunk.heading}\n${chunk.text}`)) {
        this.#frequency.set(term, (this.#frequency.get(term) ?? 0) + 1);
      }
    }
  }

  /** How many chunks there are. */
  get size(): number {
    return this.#chunks.size;
  }

  search(question: string, { limit = 5 }: SearchOptions = {}): Passage[] {
    const terms = queryTerms(question);
    const results = this.#index.search(terms.join(' '), {
      tokenize: (text) => text.split(' '),
      processTerm: (term) => term,
    });
    return results.slice(0, limit).flatMap((result) => {
      const chunk = this.#chunks.get(result.id);
      if (chunk === undefined) return [];
      return [{ ...chunk, score: round(result.score), coverage: this.#coverage(terms, result) }];
    });
  }

  #coverage(terms: readonly string[], result: SearchResult): number {
    let found = 0;
    let asked = 0;
    for (const term of terms) {
      const weight = this.#weight(term);
      asked += weight;
      if (Object.hasOwn(result.match, term)) found += weight;
      else if (result.queryTerms.includes(term)) found += weight * inexactMatch;
    }
    return asked === 0 ? 0 : round(found / asked);
  }

  /** Inverse document frequency. A word that no article has weighs most: the question may be about it. */
  #weight(term: string): number {
    return Math.log(1 + this.#chunks.size / ((this.#frequency.get(term) ?? 0) + 0.5));
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
