import type { LanguageModelV3Message, LanguageModelV3Prompt } from '@ai-sdk/provider';
import type { JsonValue } from 'holdfast';
import type { ModelMessage, ModelRequest } from '../model.ts';
import { colleagueMark, instructionsFor } from './instructions.ts';

/** How much of what came before the customer's newest message is sent, in characters. */
const maxBefore = 24_000;
/** How much of one result of a tool is sent, in characters. */
const maxResult = 12_000;

/**
 * A request as chat completions have it. The customer's newest message and what this turn's tools
 * returned are always sent; of what came before, the newest exchanges that have room. It begins with a
 * customer's message and no role but that of tools comes twice in a row: some models take nothing else.
 */
export function promptOf(request: ModelRequest, shop: string | undefined): LanguageModelV3Prompt {
  const { messages } = request;
  const at = messages.findLastIndex(({ role }) => role === 'user');
  const sent = [...newest(messages.slice(0, Math.max(at, 0))), ...messages.slice(Math.max(at, 0))];
  const ids = new CallIds();
  return [
    { role: 'system', content: instructionsFor(request, shop) },
    ...merged(sent.map((message) => converted(message, ids))),
  ];
}

/** Whole exchanges, each from a customer's message on. */
function newest(messages: readonly ModelMessage[]): readonly ModelMessage[] {
  let start = messages.length;
  let size = 0;
  for (let at = messages.length - 1; at >= 0; at -= 1) {
    const message = messages[at];
    if (message === undefined) break;
    size += sizeOf(message);
    if (size > maxBefore) break;
    if (message.role === 'user') start = at;
  }
  return messages.slice(start);
}

function sizeOf(message: ModelMessage): number {
  if (message.role === 'tool') return shown(message.result).length;
  if (message.role !== 'assistant') return message.text.length;
  return message.text.length + JSON.stringify(message.toolCalls).length;
}

function converted(message: ModelMessage, ids: CallIds): LanguageModelV3Message {
  switch (message.role) {
    case 'user':
      return { role: 'user', content: [{ type: 'text', text: message.text }] };
    case 'operator': {
      const text = `${colleagueMark} ${message.text}`;
      return { role: 'assistant', content: [{ type: 'text', text }] };
    }
    case 'assistant': {
      const calls = message.toolCalls.map(
        ({ id, name, input }) =>
          ({
            type: 'tool-call',
            toolCallId: ids.of(id),
            toolName: name,
            // Servers read it as an object; one that was none has its error behind it.
            input: isObject(input) ? input : {},
          }) as const,
      );
      const said = message.text === '' ? [] : [{ type: 'text', text: message.text } as const];
      return { role: 'assistant', content: [...said, ...calls] };
    }
    case 'tool': {
      const { callId, name: toolName, result } = message;
      const output = { type: 'text', value: shown(result) } as const;
      const toolCallId = ids.of(callId);
      return { role: 'tool', content: [{ type: 'tool-result', toolCallId, toolName, output }] };
    }
  }
}

function shown(result: JsonValue): string {
  const text = JSON.stringify(result);
  return text.length <= maxResult ? text : `${text.slice(0, maxResult)}…`;
}

function isObject(value: JsonValue): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Ids that every server takes, Mistral's too: nine letters and digits. */
class CallIds {
  readonly #ids = new Map<string, string>();

  of(id: string): string {
    const known = this.#ids.get(id);
    if (known !== undefined) return known;
    const short = `call${String(this.#ids.size + 1).padStart(5, '0')}`;
    this.#ids.set(id, short);
    return short;
  }
}

/** Neighbours of one role become one message. */
function merged(messages: readonly LanguageModelV3Message[]): LanguageModelV3Message[] {
  const result: LanguageModelV3Message[] = [];
  for (const message of messages) {
    const last = result.at(-1);
    if (last?.role === 'user' && message.role === 'user') {
      last.content = joined([...last.content, ...message.content]);
    } else if (last?.role === 'assistant' && message.role === 'assistant') {
      last.content = joined([...last.content, ...message.content]);
    } else result.push(message);
  }
  return result;
}

/** Neighbouring texts as paragraphs of one: a server may take no list of parts. */
function joined<Part extends { readonly type: string }>(parts: readonly Part[]): Part[] {
  const result: Part[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    if (isText(last) && isText(part)) {
      result.splice(-1, 1, { ...last, text: `${last.text}\n\n${part.text}` });
    } else result.push(part);
  }
  return result;
}

function isText<Part extends { readonly type: string }>(
  part: Part | undefined,
): part is Part & { readonly text: string } {
  return part?.type === 'text';
}
