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
    return frozenCopy(result.value);
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

/** Metadata that holds what can't be frozen (a Date, a Map): each reader must get one of its own. */
const unshareable = new WeakSet<object>();

/** Whether all readers may be handed the same object. */
export function isShareable(metadata: object): boolean {
  return !unshareable.has(metadata);
}

/**
 * A frozen copy of what the schema made: its defaults are its owner's, and stay as they are. What is
 * neither a plain object nor an array is passed on as it is.
 */
function frozenCopy<Output extends object>(made: Output): Output {
  let shareable = true;
  const copies = new Map<object, unknown>(); // a value may stand in several places, or hold itself
  const copy = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (copies.has(value)) return copies.get(value);
    if (Array.isArray(value)) {
      const list: unknown[] = [];
      copies.set(value, list);
      for (const item of value) list.push(copy(item));
      return Object.freeze(list);
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      shareable = false;
      return value;
    }
    const object: Record<string, unknown> = {};
    copies.set(value, object);
    for (const [key, item] of Object.entries(value)) object[key] = copy(item);
    return Object.freeze(object);
  };
  const result = copy(made) as Output;
  if (!shareable) unshareable.add(result);
  return result;
}
