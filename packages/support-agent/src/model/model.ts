import type { Passage, Source } from '../knowledge/passage.ts';

/** One earlier message of the conversation, as a model sees it. */
export interface ModelMessage {
  readonly role: 'user' | 'assistant' | 'operator';
  readonly text: string;
}

export interface ModelRequest {
  readonly question: string;
  /** The conversation before the question, newest last. */
  readonly history: readonly ModelMessage[];
  /** What the knowledge base found for the question, best first. */
  readonly passages: readonly Passage[];
  /** Aborts when nobody may use the answer any more; a model then stops and throws its reason. */
  readonly signal: AbortSignal;
}

/** What a model says, in order: any number of pieces of text, then one `done`. */
export type ModelPart =
  | { readonly type: 'text'; readonly text: string }
  | {
      readonly type: 'done';
      /** How sure the model is of its text, from 0 to 1. */
      readonly confidence: number;
      /** The passages that the text rests on. */
      readonly sources: readonly Source[];
    };

/** Whatever makes answers. Says nothing about sessions, HTTP or where the model runs. */
export interface Model {
  readonly name: string;
  answer(request: ModelRequest): AsyncIterable<ModelPart>;
}
