import { ValidationError } from '../errors/errors.ts';
import { type JsonValue, jsonBytes, toJson } from '../json/json-value.ts';
import { assertId, randomId } from './ids.ts';
import { maxMessageBytes } from './limits.ts';

export type MessageRole = 'user' | 'assistant' | 'tool' | 'system' | 'operator';

const roles: ReadonlySet<unknown> = new Set<MessageRole>([
  'user',
  'assistant',
  'tool',
  'system',
  'operator',
]);

/** A message as it is appended. `id` is random unless given; it is not checked for uniqueness. */
export interface NewMessage {
  readonly id?: string | undefined;
  readonly role: MessageRole;
  /** Any JSON; checked when it is appended. */
  readonly content: unknown;
}

/** A message as read. */
export interface Message {
  readonly id: string;
  /** Position in the session's history, from 1. Never used again, also when old messages are dropped. */
  readonly seq: number;
  readonly role: MessageRole;
  readonly content: JsonValue;
  /** Milliseconds since the epoch, by the store's clock at the commit that stored it. */
  readonly createdAt: number;
}

declare const prepared: unique symbol;

/** A message that passed `prepareMessage`: its content is plain, frozen and within bounds. */
export interface PreparedMessage {
  readonly [prepared]: true;
  readonly id: string;
  readonly role: MessageRole;
  readonly content: JsonValue;
}

/**
 * The one way from a caller's message to one that a store accepts.
 *
 * @throws ValidationError for an unknown role or field, content that is not JSON, or more than 1 MB.
 */
export function prepareMessage(message: NewMessage): PreparedMessage {
  if (typeof message !== 'object' || message === null) {
    throw new ValidationError('A message must be an object with a role and a content.');
  }
  for (const key of Object.keys(message)) {
    if (key !== 'id' && key !== 'role' && key !== 'content') {
      throw new ValidationError(
        `A message has no field ${JSON.stringify(key.slice(0, 40))}; put it inside its content.`,
      );
    }
  }
  const { role } = message;
  if (!roles.has(role)) {
    throw new ValidationError(`A message's role must be one of ${[...roles].join(', ')}.`);
  }
  if (message.content === undefined) throw new ValidationError('A message needs a content.');
  const content = toJson(message.content, "A message's content");
  assertContentSize(content);
  if (message.id !== undefined) assertId(message.id, "A message's id");
  return { id: message.id ?? randomId(), role, content } as PreparedMessage;
}

function assertContentSize(content: JsonValue): void {
  const bytes = jsonBytes(content);
  if (bytes <= maxMessageBytes) return;
  throw new ValidationError(
    `A message's content has ${bytes} bytes of JSON; at most ${maxMessageBytes} are stored.`,
  );
}

/** Gives a prepared message its place in a history. */
export function placeMessage(message: PreparedMessage, seq: number, createdAt: number): Message {
  return Object.freeze({
    id: message.id,
    seq,
    role: message.role,
    content: message.content,
    createdAt,
  });
}
