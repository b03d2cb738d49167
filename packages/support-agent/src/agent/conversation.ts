import type { JsonObject, JsonValue, Message } from 'holdfast';
import type { ModelMessage, ToolCall } from '../model/model.ts';

/** How much of what was said a model sees; the tools' messages in between come on top. */
const spokenLimit = 20;

/** So many stored messages hold it: most turns store a question, a call, its result and an answer. */
export const storedLimit = 40;

/**
 * The conversation as a model sees it, with the question last. The question is stored already; in a
 * retry after other messages it stands among them and is put last all the same.
 */
export function modelMessages(stored: readonly Message[], question: string): ModelMessage[] {
  const messages = spokenAndPairs(stored);
  const asked = messages.findLastIndex(
    (message) => message.role === 'user' && message.text === question,
  );
  const before = messages.filter((_, index) => index !== asked);
  return [...newest(before, spokenLimit - 1), { role: 'user', text: question }];
}

/** How many of the newest answers, one after the other, answered nothing. What a person wrote ends the row. */
export function countUnanswered(stored: readonly Message[]): number {
  let count = 0;
  for (let at = stored.length - 1; at >= 0; at -= 1) {
    const { role, content } = stored[at] ?? {};
    if (role === 'operator') break;
    if (role !== 'assistant' || content === undefined || callsIn(content) !== undefined) continue;
    if (fieldsOf(content).answered !== false) break;
    count += 1;
  }
  return count;
}

/** The `seq` of the customer's newest message; of the newest one there is, where that is not among them any more. */
export function lastCustomerSeq(stored: readonly Message[]): number {
  return (stored.findLast(({ role }) => role === 'user') ?? stored.at(-1))?.seq ?? 1;
}

/** What was said, and the calls of tools that have all their results behind them. */
function spokenAndPairs(stored: readonly Message[]): ModelMessage[] {
  const messages: ModelMessage[] = [];
  for (const [index, { role, content }] of stored.entries()) {
    const calls = role === 'assistant' ? callsIn(content) : undefined;
    const { text } = fieldsOf(content);
    if (calls !== undefined) messages.push(...pairs(calls, resultsBehind(stored, index)));
    else if (typeof text !== 'string') continue;
    else if (role === 'assistant') messages.push({ role, text, toolCalls: [] });
    else if (role === 'user' || role === 'operator') messages.push({ role, text });
  }
  return messages;
}

interface Result {
  readonly callId: string;
  readonly result: JsonValue;
}

function resultsBehind(stored: readonly Message[], index: number): Result[] {
  const results: Result[] = [];
  for (let at = index + 1; stored[at]?.role === 'tool'; at += 1) {
    const { tool_call_id: callId, result } = fieldsOf(stored[at]?.content ?? null);
    if (typeof callId === 'string' && result !== undefined) results.push({ callId, result });
  }
  return results;
}

function pairs(calls: readonly ToolCall[], results: readonly Result[]): ModelMessage[] {
  const answers = calls.flatMap(({ id, name }): ModelMessage[] => {
    const found = results.find(({ callId }) => callId === id);
    return found === undefined ? [] : [{ role: 'tool', callId: id, name, result: found.result }];
  });
  if (answers.length < calls.length) return [];
  return [{ role: 'assistant', text: '', toolCalls: calls }, ...answers];
}

/** From the oldest of the newest `limit` spoken messages on. */
function newest(messages: readonly ModelMessage[], limit: number): readonly ModelMessage[] {
  let from = messages.length;
  for (let spoken = 0; from > 0 && spoken < limit; ) {
    from -= 1;
    if (isSpoken(messages[from])) spoken += 1;
  }
  return messages.slice(from);
}

function isSpoken(message: ModelMessage | undefined): boolean {
  if (message?.role === 'assistant') return message.toolCalls.length === 0;
  return message?.role !== 'tool';
}

// Every turn reads the whole window, and anybody may have written to it: these look, and copy nothing.

function fieldsOf(content: JsonValue): JsonObject {
  const isObject = typeof content === 'object' && content !== null && !Array.isArray(content);
  return isObject ? (content as JsonObject) : {};
}

function callsIn(content: JsonValue): readonly ToolCall[] | undefined {
  const { tool_calls: calls } = fieldsOf(content);
  if (!Array.isArray(calls) || calls.length === 0) return undefined;
  return calls.every(isCall) ? (calls as unknown as readonly ToolCall[]) : undefined;
}

function isCall(call: JsonValue): boolean {
  const { id, name, input } = fieldsOf(call);
  return typeof id === 'string' && typeof name === 'string' && input !== undefined;
}
