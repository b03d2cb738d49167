import type { Passage, Source } from '../knowledge/passage.ts';
import type { Model, ModelPart, ModelRequest } from './model.ts';
import { phrases } from './phrases.ts';
import { bestSentences } from './sentences.ts';

/** Below this share of the question's words, the best passage is about something else. */
const minConfidence = 0.5;
const maxSentences = 3;
const wordsPerPiece = 3;

const greeting = /^\s*(?:hi|hello|hey|good (?:morning|afternoon|evening))(?: there)?[\s.!,]*$/i;
const thanks =
  /^\s*(?:ok(?:ay)?[\s,.]+)?(?:thanks|thank you|cheers)(?: a lot| so much| very much)?[\s.!]*$/i;

interface Reply {
  readonly text: string;
  readonly confidence: number;
  readonly sources: readonly Source[];
}

/**
 * Answers with sentences of the articles, word for word, and a few fixed phrases. It makes nothing
 * up: what it says stands in the passage that it cites, and what no article covers it does not know.
 */
export class LocalModel implements Model {
  readonly name = 'local';

  async *answer({ question, passages, signal }: ModelRequest): AsyncGenerator<ModelPart> {
    const { text, confidence, sources } = reply(question, passages);
    for (const piece of pieces(text)) {
      signal.throwIfAborted();
      yield { type: 'text', text: piece };
    }
    yield { type: 'done', confidence, sources };
  }
}

function reply(question: string, passages: readonly Passage[]): Reply {
  if (greeting.test(question)) return { text: phrases.greeting, confidence: 1, sources: [] };
  if (thanks.test(question)) return { text: phrases.thanks, confidence: 1, sources: [] };
  const best = passages[0];
  if (best === undefined || best.coverage < minConfidence) {
    return { text: phrases.unknown, confidence: best?.coverage ?? 0, sources: [] };
  }
  const { id, title, heading, score } = best;
  return {
    text: bestSentences(best.text, question, maxSentences),
    confidence: best.coverage,
    sources: [{ id, title, heading, score }],
  };
}

function pieces(text: string): string[] {
  return text.match(new RegExp(`(?:\\S+\\s*){1,${wordsPerPiece}}`, 'g')) ?? [];
}
