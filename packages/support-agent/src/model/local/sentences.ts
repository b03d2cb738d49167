import { LRUCache } from 'lru-cache';
import { contentTerms } from '../../knowledge/terms.ts';

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

/** The sentences of a text, as they stand there; a line break always ends one. */
export function splitSentences(text: string): string[] {
  return splitBlocks(text).flat();
}

/**
 * At most `limit` sentences that share most words with the question, in the passage's order and with
 * its line breaks.
 */
export function bestSentences(text: string, question: string, limit: number): string {
  const asked = new Set(contentTerms(question));
  return sentencesOf(text)
    .map((found, position) => ({ position, shared: shared(found, asked), ...found }))
    .sort((a, b) => b.shared - a.shared || a.position - b.position)
    .slice(0, limit)
    .sort((a, b) => a.position - b.position)
    .reduce(
      (said, { sentence, line }) => ({
        text: said.text + (said.line === line ? ' ' : '\n') + sentence,
        line,
      }),
      { text: '', line: -1 },
    )
    .text.trimStart();
}

/** Whether an answer has a sentence of a text. */
export function quotes(answer: string, text: string): boolean {
  return sentencesOf(text).some(({ sentence }) => answer.includes(sentence));
}

interface Sentence {
  readonly sentence: string;
  readonly line: number;
  readonly terms: readonly string[];
}

/** By their text: the same sections are cited again and again, and to split one takes a while. */
const kept = new LRUCache<string, readonly Sentence[]>({ max: 500 });

function sentencesOf(text: string): readonly Sentence[] {
  const known = kept.get(text);
  if (known !== undefined) return known;
  const sentences = splitBlocks(text).flatMap((block, line) =>
    block.map((sentence) => ({ sentence, line, terms: contentTerms(sentence) })),
  );
  kept.set(text, sentences);
  return sentences;
}

function splitBlocks(text: string): string[][] {
  return text
    .split('\n')
    .map((block) =>
      Array.from(segmenter.segment(block), ({ segment }) => segment.trim()).filter(Boolean),
    );
}

function shared({ terms }: Sentence, asked: ReadonlySet<string>): number {
  return terms.filter((term) => asked.has(term)).length;
}
