import { randomUUID } from 'node:crypto';
import type { JsonValue } from 'holdfast';
import type { ToolCall } from '../model.ts';

/** Longer input is no use to any tool, and is stored with the conversation. */
const maxInput = 16_384;
/** What is kept of input that cannot be used. */
const maxUnusable = 1_000;
/** Stored messages nest no deeper than 100 levels. */
const maxDepth = 50;

/**
 * A call as a model wrote it, in a form that can be stored and sent again. Input that is no JSON
 * becomes text, which no tool takes: the model reads so in the call's result. The server's own id is
 * left: not all of them are unique.
 */
export function toolCallOf(name: string, input: string): ToolCall {
  // Servers refuse a history with other names. One that is changed here is no tool's.
  const safeName = name.replace(/[^\w-]/g, '_').slice(0, 64) || '_';
  return { id: randomUUID(), name: safeName, input: inputOf(input) };
}

function inputOf(text: string): JsonValue {
  // Some servers write no input at all for "no arguments".
  if (text.trim() === '') return {};
  if (text.length > maxInput) return text.slice(0, maxUnusable);
  try {
    const value: JsonValue = JSON.parse(text, safely);
    return depthOf(value) <= maxDepth ? value : text.slice(0, maxUnusable);
  } catch {
    return text.slice(0, maxUnusable);
  }
}

/** @throws for what must not be stored: keys that are properties of every object, numbers that JSON reads as infinite */
function safely(key: string, value: JsonValue): JsonValue {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new SyntaxError('a number');
  if (['__proto__', 'constructor', 'prototype'].includes(key)) throw new SyntaxError('a key');
  return value;
}

function depthOf(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Object.values(value).reduce<number>((most, one) => Math.max(most, depthOf(one)), 0);
}
