import { contentTerms, queryTerms } from '../knowledge/terms.ts';

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

/** The sentences of a passage, as they stand there; a line break always ends one. */
export function splitSentences(text: string): string[] {
  return text
    .split('\n')
    .flatMap((block) =>
      Array.from(segmenter.segment(block), ({ segment }) => segment.trim()).filter(Boolean),
    );
}

/** At most `limit` sentences that share most words with the question, in the passage's order. */
export function bestSentences(text: string, question: string, limit: number): string {
  const asked = new Set(queryTerms(question));
  return splitSentences(text)
    .map((sentence, position) => ({ sentence, position, shared: countShared(sentence, asked) }))
    .sort((a, b) => b.shared - a.shared || a.position - b.position)
    .slice(0, limit)
    .sort((a, b) => a.position - b.position)
    .map(({ sentence }) => sentence)
    .join(' ');
}

function countShared(sentence: string, asked: ReadonlySet<string>): number {
  return contentTerms(sentence).filter((term) => asked.has(term)).length;
}
