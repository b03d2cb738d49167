import { hash } from 'node:crypto';
import { ValidationError } from '../errors/errors.ts';

export type JsonPrimitive = string | number | boolean | null;
export type JsonValue = JsonPrimitive | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Deeper nesting than this is refused: it would overflow the stack of some reader. */
const maxDepth = 100;

/**
 * Copies plain JSON into a deeply frozen value, so that neither side can change what the other
 * holds. Properties that are `undefined` are left out, as `JSON.stringify` does.
 *
 * @param what names the value in the error, such as `metadata`.
 * @throws ValidationError for anything JSON cannot carry unchanged (NaN, functions, dates, class
 *   instances, cycles), for keys that reach a prototype, and for nesting deeper than 100.
 */
export function toJson(value: unknown, what: string): JsonValue {
  return copy(value, [what]);
}

/** As `toJson`, for a value that must be an object. */
export function toJsonObject(value: unknown, what: string): JsonObject {
  const json = toJson(value, what);
  if (!isJsonObject(json)) {
    throw new ValidationError(`${what} must be a JSON object, not ${describe(value)}.`);
  }
  return json;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a careless reader that assigns this key to an object would reach its prototype. */
export function reachesPrototype(key: string): boolean {
  return key === '__proto__' || key === 'constructor' || key === 'prototype';
}

/** Text that JSON writes as it is, in a byte a character. */
const plain = /^[ !#-[\]-~]*$/;

/** The UTF-8 bytes of the value's JSON text. */
export function jsonBytes(value: JsonValue): number {
  // To write it takes twice as long as to count it, where that can be done.
  return plainBytes(value) ?? Buffer.byteLength(JSON.stringify(value));
}

/** The same, counted; `null` where some text is not plain. */
function plainBytes(value: JsonValue): number | null {
  switch (typeof value) {
    case 'string':
      return plain.test(value) ? value.length + 2 : null;
    case 'number':
      return Number.isSafeInteger(value) && value >= 0 ? digitsOf(value) : String(value).length;
    case 'boolean':
      return value ? 4 : 5;
  }
  if (value === null) return 4;
  // A comma or the end behind each item, and before them the beginning.
  let bytes = 1;
  if (isJsonObject(value)) {
    const keys = Object.keys(value);
    for (const key of keys) {
      const size = plainBytes(value[key] ?? null);
      if (size === null || !plain.test(key)) return null;
      bytes += key.length + 3 + size + 1;
    }
    return keys.length === 0 ? 2 : bytes;
  }
  for (const item of value) {
    const size = plainBytes(item);
    if (size === null) return null;
    bytes += size + 1;
  }
  return value.length === 0 ? 2 : bytes;
}

/** As times have more digits than are quickly written. */
function digitsOf(value: number): number {
  let digits = 1;
  for (let power = 10; power <= value; power *= 10) digits += 1;
  return digits;
}

/** SHA-256 of the value's JSON with its keys sorted (in the manner of RFC 8785), base64url. */
export function jsonDigest(value: JsonValue): string {
  return hash('sha256', canonical(value), 'base64url');
}

/** What the value is called, and the keys and indexes on the way to a part of it. */
type Path = [what: string, ...steps: (string | number)[]];

/** @param path is put together when it is told: that would cost most of the copying otherwise. */
function copy(value: unknown, path: Path): JsonValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (!Number.isFinite(value)) {
        throw refusal(path, `is ${value}, which JSON cannot carry`);
      }
      return value === 0 ? 0 : value; // JSON has no negative zero
    case 'object':
      break;
    default:
      throw refusal(path, `is ${describe(value)}, which JSON cannot carry`);
  }
  if (value === null) return null;
  if (path.length > maxDepth) {
    throw refusal(path, `is nested deeper than ${maxDepth} levels, or in a cycle`);
  }
  return Array.isArray(value) ? copyArray(value, path) : copyObject(value, path);
}

function copyArray(value: readonly unknown[], path: Path): JsonValue {
  const result: JsonValue[] = [];
  for (let index = 0; index < value.length; index += 1) {
    path.push(index);
    result.push(copy(value[index], path));
    path.pop();
  }
  return Object.freeze(result);
}

function copyObject(value: object, path: Path): JsonObject {
  const prototype: unknown = Object.getPrototypeOf(value);
  // An object from another realm (a vm, a worker's test runner) has that realm's Object.prototype.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw refusal(path, `is ${describe(value)}; only plain JSON can be stored`);
  }
  const result: Record<string, JsonValue> = {};
  for (const key of Object.keys(value)) {
    if (reachesPrototype(key)) throw refusal(path, `has the key "${key}", which is not allowed`);
    const item: unknown = (value as Record<string, unknown>)[key];
    if (item === undefined) continue;
    path.push(key);
    result[key] = copy(item, path);
    path.pop();
  }
  return Object.freeze(result);
}

/** Names the place; its keys are the caller's, so they are cut short. */
function refusal([what, ...steps]: Path, why: string): ValidationError {
  const place = steps.reduce<string>(
    (above, step) => above + (typeof step === 'number' ? `[${step}]` : `.${step}`),
    what,
  );
  const shown = place.length > 200 ? `${place.slice(0, 200)}…` : place;
  return new ValidationError(`${shown} ${why}.`);
}

function canonical(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value) text += `${text === '' ? '' : ','}${canonical(item)}`;
    return `[${text}]`;
  }
  const object = value as JsonObject;
  for (const key of Object.keys(object).sort()) {
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonical(object[key] ?? null)}`;
  }
  return `{${text}}`;
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object') return value === undefined ? 'undefined' : `a ${typeof value}`;
  const name = value.constructor?.name;
  return name === undefined || name === 'Object' ? 'an object' : `an instance of ${name}`;
}
