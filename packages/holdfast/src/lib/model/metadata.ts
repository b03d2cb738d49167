import type { StandardSchemaV1 } from '@standard-schema/spec';
import { ValidationError } from '../errors/errors.ts';
import { type JsonObject, jsonBytes } from '../json/json-value.ts';
import { maxMetadataBytes } from './limits.ts';

/** Any Standard Schema (zod, valibot, arktype, …) of an object; it must validate synchronously. */
export type MetadataSchema<
  Input extends object = object,
  Output extends object = object,
> = StandardSchemaV1<Input, Output>;

/** Turns stored metadata into what readers are handed; throws when it does not fit the schema. */
export type MetadataReader<Output extends object> = (stored: JsonObject) => Output;

/**
 * What is stored is the schema's input: a default or a transformation of the schema takes effect on
 * read, so a new default reaches old sessions too.
 *
 * @throws (from the reader) ValidationError when the metadata does not fit, naming the paths.
 */
export function metadataReader<Output extends object>(
  schema: MetadataSchema<object, Output>,
): MetadataReader<Output> {
  return (stored) => {
    const result = schema['~standard'].validate(stored);
    if (result instanceof Promise) {
      result.catch(() => {}); // its outcome no longer matters, and must not end the process
      throw new ValidationError(
        'The metadata schema validates asynchronously, which an atomic update cannot wait for: leave out its async refinements.',
      );
    }
    if (result.issues !== undefined) {
      const issues = result.issues.map((issue) => `${pathOf(issue)}: ${issue.message}`);
      throw new ValidationError(
        `The session's metadata does not fit its schema: ${issues.join('; ')}.`,
      );
    }
    return deepFreeze(result.value);
  };
}

/** The reader when no schema is given: metadata is any JSON object. */
export const plainMetadata: MetadataReader<JsonObject> = (stored) => stored;

export function assertMetadataSize(metadata: JsonObject): void {
  const bytes = jsonBytes(metadata);
  if (bytes > maxMetadataBytes) {
    throw new ValidationError(
      `The session's metadata has ${bytes} bytes as stored; at most ${maxMetadataBytes} are allowed.`,
    );
  }
}

function pathOf(issue: StandardSchemaV1.Issue): string {
  const keys = (issue.path ?? []).map((segment) =>
    String(typeof segment === 'object' ? segment.key : segment),
  );
  return ['metadata', ...keys].join('.');
}

/**
 * Freezes plain objects and arrays, also below what is frozen already: a schema may have frozen the
 * outside alone. What it made of other kinds (a Date, a Map) is its own.
 */
function deepFreeze<T>(value: T, seen: Set<unknown> = new Set()): T {
  if (typeof value !== 'object' || value === null || seen.has(value)) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return value;
  seen.add(value);
  for (const item of Object.values(value)) deepFreeze(item, seen);
  return Object.freeze(value);
}
