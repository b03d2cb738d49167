import type { JsonValue } from 'holdfast';
import type { Source } from '../knowledge/passage.ts';
import type { CustomerFacts, Ticket } from '../tools/support-record.ts';

/** One use of a tool that a model asks for. A type and not an interface, so that it counts as JSON. */
export type ToolCall = {
  /** By which its result is told from those of other calls. */
  readonly id: string;
  readonly name: string;
  readonly input: JsonValue;
};

/** A tool as a model is told about it. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the input. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
}

/** One message of the conversation, as a model sees it. Each call of a tool is followed by its result. */
export type ModelMessage =
  | { readonly role: 'user' | 'operator'; readonly text: string }
  | { readonly role: 'assistant'; readonly text: string; readonly toolCalls: readonly ToolCall[] }
  | {
      readonly role: 'tool';
      readonly callId: string;
      readonly name: string;
      /** What the tool returned, or `{ error }` with what was wrong with the call. */
      readonly result: JsonValue;
    };

/** What is known of the conversation besides its messages. */
export interface SessionKnowledge {
  readonly facts: CustomerFacts;
  /** All that were made, oldest first. */
  readonly tickets: readonly Ticket[];
  /** The one with which the conversation is waiting for a person. */
  readonly openTicket: Ticket | null;
  /** How many of the newest answers, one after the other, answered nothing. */
  readonly unansweredInARow: number;
  readonly isFirstAnswer: boolean;
  /**
   * What differs from the client that the conversation began with, such as `ip` or `browser`; empty
   * when nothing does. A sign, and no proof, that somebody else writes.
   */
  readonly clientChanges: readonly string[];
}

export interface ModelRequest {
  /** Oldest first; the last is the customer's question, or the results of this turn's tools. */
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ToolSpec[];
  readonly session: SessionKnowledge;
  /** Aborts when nobody may use the answer any more; a model then stops and throws its reason. */
  readonly signal: AbortSignal;
}

/**
 * What a model says: any number of pieces of text and calls of tools, and perhaps what that took. When it
 * made calls, it is asked again with their results; when it made none, it said its answer, and an `end` is
 * the last part.
 */
export type ModelPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool_call'; readonly call: ToolCall }
  | {
      /** What it took, where that is known: behind all other parts but the `end`. */
      readonly type: 'usage';
      readonly inputTokens: number | undefined;
      readonly outputTokens: number | undefined;
    }
  | {
      readonly type: 'end';
      /** What the text rests on. */
      readonly sources: readonly Source[];
      /** How sure the model is of its text, from 0 to 1. */
      readonly confidence: number;
      /** Whether the text is what the customer wanted, and not a question back or an excuse. */
      readonly answered: boolean;
    };

/** Whatever makes answers. Says nothing about sessions, HTTP or where the model runs. */
export interface Model {
  readonly name: string;
  /** Who serves it, in the words of OpenTelemetry's conventions; its name unless given. */
  readonly provider?: string;
  answer(request: ModelRequest): AsyncIterable<ModelPart>;
}
