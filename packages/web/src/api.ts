import {
  type Answer,
  fields,
  type PastMessage,
  readAnswer,
  readHistory,
  readString,
} from './wire.ts';

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** How many of the latest messages are shown when a page is opened again. */
export const HISTORY_LIMIT = 50;

/**
 * A call that brought no usable reply. `status` is the HTTP status, or 0 when there was no reply at all:
 * the server may then have done the work, so a message is repeated only under its own idempotency key.
 */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly detail: string;

  constructor(status: number, detail: string, options?: ErrorOptions) {
    super(`${status} ${detail}`, options);
    this.status = status;
    this.detail = detail;
  }

  /** The session itself is no longer there for this browser. */
  get sessionGone(): boolean {
    return this.status === 401 || this.status === 404 || this.status === 410;
  }
}

/** The four calls that the page makes. Each rejects with an `ApiError`, or as its signal says. */
export interface ChatApi {
  /** Resolves to the new session's id; the browser keeps the token as a cookie. */
  create(signal: AbortSignal): Promise<string>;
  history(id: string, signal: AbortSignal): Promise<PastMessage[]>;
  send(id: string, text: string, key: string, signal: AbortSignal): Promise<Answer>;
  end(id: string, signal: AbortSignal): Promise<void>;
}

export function createApi(fetcher: Fetch): ChatApi {
  async function call(method: string, path: string, init: RequestInit): Promise<unknown> {
    let response: Response;
    let text: string;
    try {
      response = await fetcher(`/api/sessions${path}`, {
        method,
        credentials: 'same-origin',
        ...init,
      });
      text = await response.text();
    } catch (cause) {
      init.signal?.throwIfAborted();
      throw new ApiError(0, 'no reply', { cause });
    }
    const body = parse(text);
    if (response.ok) return body;
    throw new ApiError(response.status, readString(fields(body).detail));
  }

  function post(path: string, body: object, signal: AbortSignal, headers: HeadersInit = {}) {
    return call('POST', path, {
      signal,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  }

  return {
    async create(signal) {
      const id = readString(fields(await post('', {}, signal)).session_id);
      return id === '' ? unreadable() : id;
    },
    async history(id, signal) {
      const path = `/${encodeURIComponent(id)}/messages?limit=${HISTORY_LIMIT}`;
      return readHistory(await call('GET', path, { signal })) ?? unreadable();
    },
    async send(id, message, key, signal) {
      const path = `/${encodeURIComponent(id)}/messages`;
      const body = await post(path, { message }, signal, { 'idempotency-key': key });
      return readAnswer(body) ?? unreadable();
    },
    async end(id, signal) {
      await call('DELETE', `/${encodeURIComponent(id)}`, { signal });
    },
  };
}

/** `undefined` for what is not JSON: an empty 204, or a proxy's page. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreadable(): never {
  throw new ApiError(502, 'the reply could not be read');
}
