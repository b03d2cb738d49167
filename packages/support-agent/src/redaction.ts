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

/** A line has nothing of use further down, or in more than so many objects. */
const maxDepth = 5;
const maxObjects = 500;

const censor = '[redacted]';

/** What is struck out at the top of a line. pino's own redaction is cheap there, and not below. */
export const redact = { paths: [...secrets, ...texts].map((name) => `["${name}"]`), censor };

/** Of these a serializer says what is shown, unless they are plain objects. */
export const serializers = {
  err: (error: unknown) => new Walk().shown(error, 'err', 1),
  req: (request: unknown) => (isPlain(request) ? request : { method: fieldOf(request, 'method') }),
  res: (reply: unknown) => (isPlain(reply) ? reply : { statusCode: fieldOf(reply, 'statusCode') }),
};

/**
 * The fields of a log line, or of what a logger adds to each of its lines, without what must not be logged
 * below the top. pino's own redaction takes wildcards for that, which docs/decisions/027 weighs.
 */
export function withoutSecrets(fields: Record<string, unknown>): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined;
  let walk: Walk | undefined;
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    if (typeof value !== 'object' || value === null) continue;
    if (name in serializers && !isPlain(value)) continue;
    walk ??= new Walk();
    copy ??= { ...fields };
    copy[name] = walk.shown(value, name, 1);
  }
  return copy ?? fields;
}

/** Through all that one line has. */
class Walk {
  readonly #above = new Set<object>();
  #left = maxObjects;

  /** @param place the name that the value stands under */
  shown(value: unknown, place: string, depth: number): unknown {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
    if (this.#above.has(value)) return '[circular]';
    if (depth > maxDepth || this.#left <= 0) return '[more]';
    this.#left -= 1;
    this.#above.add(value);
    try {
      return this.#copied(value, place, depth);
    } catch {
      return '[cannot be shown]';
    } finally {
      this.#above.delete(value);
    }
  }

  #copied(value: object, place: string, depth: number): unknown {
    if (value instanceof Error) return this.#fields(stdSerializers.err(value), place, depth);
    if ('toJSON' in value && typeof value.toJSON === 'function') {
      return this.shown(value.toJSON(), place, depth + 1);
    }
    if (!Array.isArray(value)) return this.#fields(value, place, depth);
    return value.slice(0, maxObjects).map((item) => this.shown(item, place, depth + 1));
  }

  #fields(fields: object, place: string, depth: number): object {
    const entries = Object.entries(fields).map(([name, value]) => {
      const isStruck = secrets.has(name) || (texts.has(name) && placesOfTexts.has(place));
      return [name, isStruck ? censor : this.shown(value, name, depth + 1)];
    });
    return Object.fromEntries(entries);
  }
}

function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function fieldOf(value: unknown, name: string): unknown {
  return (value as Record<string, unknown>)[name];
}
