import { z } from 'zod';
import { ValidationError } from '../../errors/errors.ts';
import { isJsonObject, type JsonObject } from '../../json/json-value.ts';
import { isId } from '../../model/ids.ts';
import type { SessionInit } from '../../model/session.ts';
import { parseInit } from '../../model/state.ts';
import type { ImportedTimes } from '../../redis/upkeep/importing.ts';
import type { OriginalKeys } from './original-keys.ts';
import { UnreadableOriginal } from './unreadable-original.ts';

/** A session of Python v2.0, as Holdfast takes it. */
export interface OriginalRecord {
  readonly init: SessionInit;
  readonly times: Omit<ImportedTimes, 'remainingMs'>;
}

/** Where what Holdfast has no field for goes, inside the metadata. */
const place = 'pythonV2';

const ids = '1 to 255 characters of A-Z a-z 0-9 . _ : @ -';
const id = z.string().refine(isId, `is not ${ids}`);
/** Python writes "not there" as null, and some callers as an empty text. */
const optionalId = z.preprocess((value) => (value === '' ? null : value), id.nullish());

/** ISO 8601 as `datetime.isoformat()` has it; without a zone it is UTC. In ms, rounded down. */
const time = z
  .string('is no time')
  .regex(
    /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?$/,
    'is no ISO 8601 time',
  )
  .transform((text) => {
    const [, local = '', fraction = '', zone = 'Z'] =
      /^(.{19})(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?$/.exec(text) ?? [];
    return Date.parse(`${local.replace(' ', 'T')}.${fraction.padEnd(3, '0').slice(0, 3)}${zone}`);
  })
  .refine((at) => at >= 0, 'is no time since 1970');

const record = z.looseObject({
  session_id: id,
  user_id: optionalId,
  thread_id: optionalId,
  message_count: z
    .number('is no number')
    .refine(Number.isSafeInteger, 'is no whole number up to 2^53 - 1')
    .nullish(),
  escalated: z.boolean('is neither true nor false').nullish(),
  metadata: z.custom<JsonObject>(isJsonObject, 'is no JSON object').nullish(),
  request_id: z.string('is no text').nullish(),
  created_at: time,
  updated_at: time.nullish(),
  last_activity: time.nullish(),
  // Unkeyed and of everything at once: there is nothing that Holdfast could compare it with.
  fingerprint: z.unknown().optional(),
});

/**
 * Reads a stored value. Nothing that it holds gets into the reason why it cannot be read.
 * @throws UnreadableOriginal
 */
export function readRecord(sessionId: string, value: Buffer, keys: OriginalKeys): OriginalRecord {
  const stored = value.toString();
  const text = stored.trimStart().startsWith('{') ? stored : keys.open(stored);
  const parsed = record.safeParse(parse(text));
  if (!parsed.success) throw new UnreadableOriginal(reasonOf(parsed.error));
  const { session_id, user_id, thread_id, message_count, escalated, ...rest } = parsed.data;
  const { metadata, request_id, created_at, updated_at, last_activity, fingerprint, ...more } =
    rest;
  if (session_id !== sessionId) {
    throw new UnreadableOriginal('says in session_id that it is another session');
  }
  const init: SessionInit = {
    userId: user_id ?? null,
    threadId: thread_id ?? undefined,
    escalated: escalated ?? false,
    counters: message_count ? { messageCount: message_count } : {},
    metadata: withRest(metadata ?? {}, request_id ?? null, more as JsonObject),
  };
  try {
    parseInit(sessionId, init);
  } catch (error) {
    // Its message may quote what is in there.
    if (!(error instanceof ValidationError)) throw error;
    throw new UnreadableOriginal(
      'has metadata that Holdfast refuses: more than 1 MB, nested deeper than 100 levels, or with a key like __proto__',
    );
  }
  const updatedAt = updated_at ?? created_at;
  return {
    init,
    times: { createdAt: created_at, updatedAt, lastActivity: last_activity ?? updatedAt },
  };
}

/** What has no field of its own is kept; metadata that were there already stay as they are. */
function withRest(metadata: JsonObject, requestId: string | null, more: JsonObject): JsonObject {
  const rest: JsonObject = {
    ...(requestId === null ? {} : { requestId }),
    ...(Object.keys(more).length === 0 ? {} : { fields: more }),
  };
  const there = metadata[place] ?? {};
  if (Object.keys(rest).length === 0 || !isJsonObject(there)) return metadata;
  return { ...metadata, [place]: { ...rest, ...there } };
}

function parse(text: string): unknown {
  if (hasInexactNumber(text)) {
    throw new UnreadableOriginal(
      'has a whole number beyond 2^53, which JSON readers other than Python’s round: make it a text',
    );
  }
  try {
    return JSON.parse(text);
  } catch {
    // Without the cause: its message quotes the text.
    throw new UnreadableOriginal('is no JSON (Python writes NaN and Infinity, which JSON has not)');
  }
}

/** Whether JSON text has an integer that a double cannot hold: reading it would change it. */
function hasInexactNumber(text: string): boolean {
  if (!/\d{16}/.test(text)) return false;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g)) {
    if (/^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token))) return true;
  }
  return false;
}

function reasonOf({ issues }: z.ZodError): string {
  const [issue] = issues;
  const field = String(issue?.path[0] ?? '');
  if (field === '') return 'is no JSON object';
  const ours = /^is /.test(issue?.message ?? '');
  return `has a ${field} that ${ours ? issue?.message : 'is missing or of another type'}`;
}
