import { stdSerializers } from 'pino';

/** Under no name of these is anything logged, at whatever depth. */
const secrets: ReadonlySet<string> = new Set([
  ...['authorization', 'cookie', 'set-cookie', 'token', 'password', 'secret'],
  ...['apiKey', 'api_key', 'adminApiKey', 'admin_api_key', 'operatorKey', 'encryptionKey'],
  ...['encryption_key', 'userId', 'user_id', 'ipAddress', 'ip_address', 'userAgent', 'user_agent'],
  'user-agent',
]);
/** Everyday words, which are a customer's only at the top and in requests: an error has a message, too. */
const texts: ReadonlySet<string> = new Set(['message', 'text', 'content', 'metadata']);
const placesOfTexts: ReadonlySet<string> = new Set(['req', 'res', 'body']);

/** Of these a serializer says what is shown, unless they are plain objects. */
const serialized: ReadonlySet<string> = new Set(['err', 'req', 'res']);

/** A line has nothing of use below; and an object that holds itself comes to an end. */
const maxDepth = 8;

export const censor = '[redacted]';

/** What is struck out at the top of a line: pino's own redaction is cheap there, and sees bindings too. */
export const topNames: readonly string[] = [...secrets, ...texts];

/**
 * The fields of a log line without what must not be logged below them. pino's own redaction would need
 * wildcards for that, and a line cost many times what it does without them.
 */
export function withoutSecrets(fields: Record<string, unknown>): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined;
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    if (typeof value !== 'object' || value === null) continue;
    if (serialized.has(name) && !isPlain(value)) continue;
    copy ??= { ...fields };
    copy[name] = cleaned(value, name, 1);
  }
  return copy ?? fields;
}

/** Serializes an error, without what must not be logged in its fields. */
export function shownError(error: unknown): unknown {
  return cleaned(error, 'err', 1);
}

function cleaned(value: unknown, place: string, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > maxDepth) return '[too deep]';
  if (value instanceof Error) return cleanedFields(stdSerializers.err(value), place, depth);
  if (Array.isArray(value)) return value.map((item) => cleaned(item, place, depth + 1));
  // It says itself what is shown of it.
  if ('toJSON' in value && typeof value.toJSON === 'function') return value;
  return cleanedFields(value, place, depth);
}

function cleanedFields(fields: object, place: string, depth: number): object {
  const entries = Object.entries(fields).map(([name, value]) => {
    const isStruck = secrets.has(name) || (texts.has(name) && placesOfTexts.has(place));
    return [name, isStruck ? censor : cleaned(value, name, depth + 1)];
  });
  return Object.fromEntries(entries);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
