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
  const earlier: string[] = [];
  const said: string[] = [];
  const earlierResults: ToolResult[] = [];
  const results: ToolResult[] = [];
  let last: ModelMessage | undefined;
  for (const [index, message] of messages.entries()) {
    if (message.role === 'tool') (index < at ? earlierResults : results).push(message);
    else if (index < at) {
      if (message.role === 'user') earlier.push(message.text);
      if (message.role === 'assistant') said.push(message.text);
      if (message.text !== '') last = message;
    }
  }
  return {
    question: question?.role === 'user' ? question.text : '',
    earlier,
    previous: last?.role === 'assistant' ? last.text : '',
    said,
    earlierResults,
    results,
  };
}
