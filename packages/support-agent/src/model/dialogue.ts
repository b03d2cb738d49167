import type { JsonValue } from 'holdfast';
import type { ModelMessage } from './model.ts';

/** What a tool returned. */
interface ToolResult {
  readonly name: string;
  readonly result: JsonValue;
}

/** What a conversation comes down to for the local model. */
export interface Dialogue {
  /** The customer's newest message. */
  readonly question: string;
  /** The customer's messages before it, oldest first. */
  readonly earlier: readonly string[];
  /** What was said right before it by the model; empty when there is nothing. */
  readonly previous: string;
  /** Everything that the model has said so far. */
  readonly said: readonly string[];
  /** The results of the tools of earlier turns, oldest first. */
  readonly earlierResults: readonly ToolResult[];
  /** The results of this turn's tools, oldest first. */
  readonly results: readonly ToolResult[];
}

export function readDialogue(messages: readonly ModelMessage[]): Dialogue {
  const at = messages.findLastIndex(({ role }) => role === 'user');
  const question = messages[at];
  const before = messages.slice(0, Math.max(at, 0));
  const last = before.findLast((message) => message.role !== 'tool' && message.text !== '');
  return {
    question: question?.role === 'user' ? question.text : '',
    earlier: before.flatMap((message) => (message.role === 'user' ? [message.text] : [])),
    previous: last?.role === 'assistant' ? last.text : '',
    said: before.flatMap((message) => (message.role === 'assistant' ? [message.text] : [])),
    earlierResults: resultsIn(before),
    results: resultsIn(messages.slice(at + 1)),
  };
}

function resultsIn(messages: readonly ModelMessage[]): ToolResult[] {
  return messages.flatMap((message) => (message.role === 'tool' ? [message] : []));
}
