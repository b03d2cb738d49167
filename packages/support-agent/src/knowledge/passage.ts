/** A section of an article: what is indexed, found and cited. */
export interface Chunk {
  /** The article's path without `.md`, and the heading's slug: `returns#what-a-return-costs`. */
  readonly id: string;
  readonly title: string;
  /** The section's heading; the article's title for the text before the first one. */
  readonly heading: string;
  /** Plain text: blocks are separated by line breaks, a wrapped paragraph is one line. */
  readonly text: string;
}

/** What an answer cites. A type and not an interface, so that it counts as JSON. */
export type Source = {
  readonly id: string;
  readonly title: string;
  readonly heading: string;
  /** BM25+ relevance. Comparable within one search only. */
  readonly score: number;
};

/** A chunk as found for one question. */
export interface Passage extends Chunk, Source {
  /**
   * The part of the question's words that the chunk has, rare words counting more, from 0 to 1. Unlike
   * `score` it can be compared between questions: below a half it is about something else, more likely
   * than not.
   */
  readonly coverage: number;
}

/** The article that a chunk is a section of. */
export function articleOf(chunkId: string): string {
  return chunkId.slice(0, chunkId.lastIndexOf('#'));
}
