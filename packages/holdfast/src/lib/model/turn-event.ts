import { ValidationError } from '../errors/errors.ts';
import { type JsonObject, type JsonValue, jsonBytes, toJsonObject } from '../json/json-value.ts';
import { maxOutputBytes } from './limits.ts';

/** What `turn.emit` takes: any JSON object with a type of its own. */
export interface LiveOutput {
  readonly type: string;
  readonly [field: string]: unknown;
}

/**
 * Live output as its readers get it: what was emitted, with its place. Besides the turn's own types
 * there are `turn.started`, `turn.completed`, `turn.failed` (with the error's `code`) and, when a
 * reader asks for output that is no longer kept, `turn.gap`.
 */
export interface TurnEvent {
  /** Position in the session's live output, from 1; resume with `after`. */
  readonly seq: number;
  readonly turnId: string;
  /** Milliseconds since the epoch, by the store's clock. */
  readonly createdAt: number;
  readonly type: string;
  readonly [field: string]: JsonValue;
}

declare const prepared: unique symbol;

/** Live output that passed `prepareOutput`, or is one of the store's own. */
export type PreparedOutput = JsonObject & { readonly [prepared]: true; readonly type: string };

const placeFields = ['seq', 'turnId', 'createdAt'];

/** @throws ValidationError unless it is plain JSON with a type that is not one of Holdfast's own. */
export function prepareOutput(output: LiveOutput): PreparedOutput {
  const json = toJsonObject(output, 'Live output');
  const type: unknown = json.type;
  if (typeof type !== 'string' || type === '') {
    throw new ValidationError('Live output needs a type, such as { type: "text", text }.');
  }
  if (type.startsWith('turn.')) {
    throw new ValidationError(`Types that begin with "turn." are Holdfast's own, not ${type}.`);
  }
  for (const field of placeFields) {
    if (field in json) throw new ValidationError(`Live output may not name "${field}".`);
  }
  const bytes = jsonBytes(json);
  if (bytes > maxOutputBytes) {
    throw new ValidationError(
      `A piece of live output has ${bytes} bytes; at most ${maxOutputBytes} are allowed. Send it in parts.`,
    );
  }
  return json as PreparedOutput;
}

export const turnEvents = {
  started: (attempt: number) => own({ type: 'turn.started', attempt }),
  completed: () => own({ type: 'turn.completed' }),
  failed: (code: string) => own({ type: 'turn.failed', code }),
};

/** Whether the event is the last of its turn. */
export function endsTurn(event: TurnEvent): boolean {
  return event.type === 'turn.completed' || event.type === 'turn.failed';
}

function own(output: JsonObject): PreparedOutput {
  return Object.freeze(output) as PreparedOutput;
}
