import { type Fetch, Http, unreadable } from '../http.ts';
import type { Status } from '../wire.ts';
import {
  readPage,
  readRow,
  readTranscript,
  type SessionPage,
  type SessionRow,
  type TranscriptPage,
} from './wire.ts';

const PAGE_SIZE = 25;
const TRANSCRIPT_SIZE = 100;

interface ListQuery {
  /** `null` for all. */
  readonly status: Status | null;
  readonly cursor: string | null;
}

interface StatusChange {
  readonly status: Status;
  /** Only if this is the session's open ticket, or `null` and it has none; otherwise a 409. */
  readonly ifTicket?: string | null;
}

/** The calls that the console makes. Each rejects with an `ApiError`, or as its signal says; those that change something take no signal. */
export interface OperatorApi {
  list(query: ListQuery, signal: AbortSignal): Promise<SessionPage>;
  session(id: string, signal: AbortSignal): Promise<SessionRow>;
  /** The newest messages, or those before `before`. */
  transcript(id: string, signal: AbortSignal, before?: number): Promise<TranscriptPage>;
  setStatus(id: string, change: StatusChange): Promise<SessionRow>;
  say(id: string, message: { text: string; key: string }): Promise<void>;
}

export function createOperatorApi(fetcher: Fetch, operatorKey: string): OperatorApi {
  // Never a customer's cookie: this browser may have a chat open as well.
  const http = new Http(fetcher, 'omit');
  const headers = { authorization: `Bearer ${operatorKey}` };
  // What changes something goes on to its end, also where the page is closed meanwhile.
  const change = { signal: new AbortController().signal, keepalive: true };
  const at = (id: string, rest = '') => `/api/sessions/${encodeURIComponent(id)}${rest}`;

  return {
    async list({ status, cursor }, signal) {
      const query = new URLSearchParams({ limit: String(PAGE_SIZE) });
      if (status !== null) query.set('status', status);
      if (cursor !== null) query.set('cursor', cursor);
      const body = await http.json('GET', `/api/sessions?${query}`, { signal, headers });
      return readPage(body) ?? unreadable();
    },
    async session(id, signal) {
      return readRow(await http.json('GET', at(id), { signal, headers })) ?? unreadable();
    },
    async transcript(id, signal, before) {
      const earlier = before === undefined ? '' : `&before=${before}`;
      const path = at(id, `/messages?limit=${TRANSCRIPT_SIZE}${earlier}`);
      return readTranscript(await http.json('GET', path, { signal, headers })) ?? unreadable();
    },
    async setStatus(id, { status, ifTicket }) {
      const body = ifTicket === undefined ? { status } : { status, if_ticket: ifTicket };
      const call = { ...change, headers, body };
      return readRow(await http.json('PATCH', at(id, '/status'), call)) ?? unreadable();
    },
    async say(id, { text, key }) {
      await http.json('POST', at(id, '/operator-messages'), {
        ...change,
        headers: { ...headers, 'idempotency-key': key },
        body: { message: text },
      });
    },
  };
}
