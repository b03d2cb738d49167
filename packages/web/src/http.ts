import { readEvents, type StreamEvent } from './event-stream.ts';
import { Patience } from './patience.ts';
import { fields, readString } from './wire.ts';

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/**
 * A call that brought no usable reply. `status` is the HTTP status, or 0 when there was no reply at all:
 * the server may then have done the work, so a message is repeated only under its own idempotency key.
 */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly detail: string;
  /** The problem's, if it came with one. */
  readonly code: string;

  constructor(status: number, detail: string, options: ErrorOptions & { code?: string } = {}) {
    super(`${status} ${detail}`, options);
    this.status = status;
    this.detail = detail;
    this.code = options.code ?? '';
  }

  /**
   * The session itself is no longer there for this browser. Its server says so by the code: a 404 alone
   * may be a proxy's, while nothing stands behind it.
   */
  get sessionGone(): boolean {
    return GONE.has(this.code);
  }
}

const GONE: ReadonlySet<string> = new Set([
  'INVALID_TOKEN',
  'SESSION_NOT_FOUND',
  'SESSION_GONE',
  'FINGERPRINT_MISMATCH',
]);

export function isGone(error: unknown): boolean {
  return error instanceof ApiError && error.sessionGone;
}

export interface Call {
  readonly signal: AbortSignal;
  readonly headers?: Record<string, string>;
  /** Sent as JSON. */
  readonly body?: object;
  /** Goes on to its end where the page is closed meanwhile, unless it is too long for that. */
  readonly keepalive?: boolean;
}

/** Far longer than the server takes for any of these: a reply of which nothing came for so long was lost. */
const SILENT_MS = 30_000;

/** Of UTF-8: browsers refuse to send more that is to go on without its page (Fetch, section 4.6). */
const MAX_KEPT_BYTES = 64 * 1024;

/** Calls to this site's server. Each rejects with an `ApiError`, or as its signal says. */
export class Http {
  readonly #fetcher: Fetch;
  readonly #credentials: RequestCredentials;
  readonly #silentMs: number;

  /** `omit` for a caller that sends a key of its own: its requests must not carry a customer's cookie. */
  constructor(
    fetcher: Fetch,
    credentials: RequestCredentials = 'same-origin',
    silentMs = SILENT_MS,
  ) {
    this.#fetcher = fetcher;
    this.#credentials = credentials;
    this.#silentMs = silentMs;
  }

  /** The JSON of the reply; `undefined` for what is not JSON: an empty 204, or a proxy's page. */
  async json(method: string, url: string, call: Call): Promise<unknown> {
    const patience = new Patience(call.signal, this.#silentMs);
    const { signal } = patience;
    try {
      const response = await this.#ask(method, url, { ...call, signal });
      return parseJson(
        await orNoReply(
          signal,
          textOf(response, () => patience.heard()),
        ),
      );
    } catch (cause) {
      throw failure(cause, call.signal, signal);
    } finally {
      patience.end();
    }
  }

  /** The reply with its body unread, however long that takes once it has begun. */
  async open(method: string, url: string, call: Call, beginMs = this.#silentMs): Promise<Response> {
    const patience = new Patience(call.signal, beginMs);
    const { signal } = patience;
    try {
      const response = await this.#ask(method, url, { ...call, signal });
      patience.rest();
      return response;
    } catch (cause) {
      patience.end();
      throw failure(cause, call.signal, signal);
    }
  }

  async #ask(
    method: string,
    url: string,
    { signal, headers, body, keepalive = false }: Call,
  ): Promise<Response> {
    const text = body === undefined ? null : JSON.stringify(body);
    const json = text === null ? {} : { 'content-type': 'application/json' };
    // A UTF-16 unit is at most three bytes.
    const isShort = text === null || text.length * 3 <= MAX_KEPT_BYTES;
    const response = await orNoReply(
      signal,
      this.#fetcher(url, {
        method,
        signal,
        keepalive: keepalive && isShort,
        credentials: this.#credentials,
        headers: { ...json, ...headers },
        ...(text === null ? {} : { body: text }),
      }),
    );
    if (response.ok) return response;
    throw problemOf(response.status, await this.read(response, signal));
  }

  async read(response: Response, signal: AbortSignal): Promise<unknown> {
    return parseJson(await orNoReply(signal, response.text()));
  }

  /** The events of a reply, until it ends or breaks. */
  async *events(response: Response, signal: AbortSignal): AsyncGenerator<StreamEvent, void> {
    if (response.body === null) return;
    try {
      yield* readEvents(response.body);
    } catch (cause) {
      signal.throwIfAborted();
      throw new ApiError(0, 'the stream broke', { cause });
    }
    signal.throwIfAborted();
  }
}

export function isEventStream(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
}

export function problemOf(status: number, body: unknown): ApiError {
  const { detail, code } = fields(body);
  return new ApiError(status, readString(detail), { code: readString(code) });
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function unreadable(): never {
  throw new ApiError(502, 'the reply could not be read');
}

/** The whole of a body; `heard` is called for each piece of it. */
async function textOf({ body }: Response, heard: () => void): Promise<string> {
  if (body === null) return '';
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    heard();
    text += decoder.decode(value, { stream: true });
  }
}

/** Why a request failed: its caller's reason, if that is why. */
function failure(cause: unknown, caller: AbortSignal, request: AbortSignal): unknown {
  caller.throwIfAborted();
  return request.aborted ? new ApiError(0, 'no reply in time', { cause }) : cause;
}

async function orNoReply<Value>(signal: AbortSignal, work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (cause) {
    signal.throwIfAborted();
    throw new ApiError(0, 'no reply', { cause });
  }
}
