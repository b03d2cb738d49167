import { ValidationError } from '../errors/errors.ts';
import {
  isJsonObject,
  type JsonObject,
  reachesPrototype,
  toJsonObject,
} from '../json/json-value.ts';
import { mergeObject } from '../json/merge-patch.ts';
import { assertId, randomId } from './ids.ts';
import { maxCounters } from './limits.ts';
import { assertMetadataSize } from './metadata.ts';
import { type SessionState, type SessionStatus, sessionStatuses } from './session.ts';

/** Fields of a session that only the store may set. */
const readOnlyFields: ReadonlySet<string> = new Set([
  'id',
  'version',
  'counters',
  'messageCount',
  'createdAt',
  'updatedAt',
  'lastActivity',
  'expiresAt',
]);

const emptyObject: JsonObject = Object.freeze({});

/** Shared by all sessions without counters, most of them: an empty map is as large as a session. */
const noCounters: ReadonlyMap<string, number> = new Map();

declare const parsed: unique symbol;

/** A patch that passed `parsePatch`: plain, frozen, of known fields and right types. */
export interface ParsedPatch {
  readonly [parsed]: true;
  readonly userId?: string | null;
  readonly threadId?: string;
  readonly status?: SessionStatus;
  readonly escalated?: boolean;
  readonly metadata?: JsonObject;
}

/** What `parseInit` makes of a `SessionInit`. */
export interface ParsedInit {
  readonly state: SessionState;
  readonly counters: ReadonlyMap<string, number>;
}

/** @throws ValidationError for a read-only or unknown field, a wrong type, or metadata that is not plain JSON. */
export function parsePatch(patch: unknown): ParsedPatch {
  if (!isJsonObject(patch)) throw new ValidationError('A patch must be an object.');
  for (const key of Object.keys(patch)) {
    if (readOnlyFields.has(key)) {
      throw new ValidationError(
        `A patch may not name "${key}": only the store sets it${key === 'counters' || key === 'messageCount' ? '; use incrementCounter' : ''}.`,
      );
    }
  }
  return Object.freeze(parseFields(patch)) as ParsedPatch;
}

/** @throws ValidationError as `parsePatch` does. */
export function parseInit(id: string, init: unknown): ParsedInit {
  if (!isJsonObject(init)) throw new ValidationError('A new session must be an object.');
  if (Object.hasOwn(init, 'id') && init.id !== id) {
    throw new ValidationError(
      'The session to store has another id than the one it is stored under.',
    );
  }
  const given = parseFields(init, readOnlyFields);
  const state: SessionState = Object.freeze({
    userId: given.userId ?? null,
    threadId: given.threadId ?? randomId(),
    status: given.status ?? 'active',
    escalated: given.escalated ?? false,
    metadata: given.metadata ?? emptyObject,
  });
  assertMetadataSize(state.metadata);
  return { state, counters: parseCounters(init.counters) };
}

/** Merges a patch into a state. The schema check of the result is the caller's. */
export function applyPatch(state: SessionState, patch: ParsedPatch): SessionState {
  const metadata = patch.metadata && mergeObject(state.metadata, patch.metadata);
  if (metadata !== undefined) assertMetadataSize(metadata);
  return Object.freeze({
    userId: patch.userId === undefined ? state.userId : patch.userId,
    threadId: patch.threadId ?? state.threadId,
    status: patch.status ?? state.status,
    escalated: patch.escalated ?? state.escalated,
    metadata: metadata ?? state.metadata,
  });
}

/** @throws ValidationError unless the name is an id and the step a safe integer. */
export function assertIncrement(name: unknown, by: unknown): asserts by is number {
  assertId(name, 'A counter name');
  if (reachesPrototype(name)) throw new ValidationError(`A counter may not be named "${name}".`);
  if (!Number.isSafeInteger(by)) {
    throw new ValidationError(
      `A counter steps by whole numbers up to 2^53 - 1, not ${String(by)}.`,
    );
  }
}

/** @throws ValidationError when the sum leaves the safe integers, or it would be one counter too many. */
export function incremented(
  counters: ReadonlyMap<string, number>,
  name: string,
  by: number,
): number {
  const current = counters.get(name);
  if (current === undefined && counters.size >= maxCounters) {
    throw new ValidationError(`A session has at most ${maxCounters} counters.`);
  }
  const value = (current ?? 0) + by;
  if (!Number.isSafeInteger(value)) {
    throw new ValidationError(`The counter "${name}" would leave the safe integers (2^53 - 1).`);
  }
  return value;
}

type Fields = Omit<ParsedPatch, typeof parsed>;
type PlainFields = { -readonly [Key in keyof Fields]: Fields[Key] };

function parseFields(input: JsonObject, ignored?: ReadonlySet<string>): PlainFields {
  const result: PlainFields = {};
  for (const [key, value] of Object.entries(input)) {
    if (value === undefined || ignored?.has(key)) continue;
    switch (key) {
      case 'userId':
        if (value !== null) assertId(value, 'userId');
        result.userId = value;
        break;
      case 'threadId':
        assertId(value, 'threadId');
        result.threadId = value;
        break;
      case 'status':
        result.status = parseStatus(value);
        break;
      case 'escalated':
        if (typeof value !== 'boolean') {
          throw new ValidationError('escalated must be true or false.');
        }
        result.escalated = value;
        break;
      case 'metadata':
        result.metadata = toJsonObject(value, 'metadata');
        break;
      default:
        throw new ValidationError(
          `A session has no field ${JSON.stringify(key.slice(0, 40))}; put it inside metadata.`,
        );
    }
  }
  return result;
}

export function parseStatus(value: unknown): SessionStatus {
  const status = sessionStatuses.find((known) => known === value);
  if (status === undefined) {
    throw new ValidationError(`status must be one of ${sessionStatuses.join(', ')}.`);
  }
  return status;
}

function parseCounters(input: unknown): ReadonlyMap<string, number> {
  if (input === undefined) return noCounters;
  if (!isJsonObject(input)) {
    throw new ValidationError('counters must be an object of whole numbers.');
  }
  const counters = new Map<string, number>();
  for (const [name, value] of Object.entries(input)) {
    assertIncrement(name, value);
    counters.set(name, incremented(counters, name, value));
  }
  return counters;
}
