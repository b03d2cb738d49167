import type { StreamEvent } from '../event-stream.ts';
import {
  ApiError,
  type Fetch,
  Http,
  isEventStream,
  parseJson,
  problemOf,
  unreadable,
} from '../http.ts';
import {
  type Answer,
  fields,
  type History,
  readAnswer,
  readHistory,
  readNumber,
  readSession,
  readString,
  readTurnEvent,
  type SessionInfo,
  type TurnEvent,
} from '../wire.ts';

/** How many of the latest messages are shown when a page is opened again. */
const HISTORY_LIMIT = 50;

/** A minute of waiting for the message before, and the longest turn: some proxies keep a stream back to its end. */
const ANSWER_BEGINS_MS = 360_000;

const LIVE = { accept: 'text/event-stream' };

interface Outbound {
  readonly text: string;
  /** Its idempotency key. */
  readonly key: string;
}

/** What a session's stream says: a piece of a turn, or that the session has ended, or is not this reader's any more. */
type FeedEvent = TurnEvent | 'session-ended';

/** The calls that the chat makes. Each rejects with an `ApiError`, or as its signal says. */
export interface ChatApi {
  /** Resolves to the new session's id; the browser keeps the token as a cookie. */
  create(signal: AbortSignal): Promise<string>;
  session(id: string, signal: AbortSignal): Promise<SessionInfo>;
  /** The newest messages, or those before `before`. */
  history(id: string, signal: AbortSignal, before?: number): Promise<History>;
  /** Resolves to the whole answer; `onEvent` gets it while it is made, where the server streams it. */
  send(
    id: string,
    message: Outbound,
    signal: AbortSignal,
    onEvent: (event: TurnEvent) => void,
  ): Promise<Answer>;
  /** The session's live output behind `after`; resolves once the server has begun to send it. */
  follow(id: string, after: number, signal: AbortSignal): Promise<AsyncIterable<FeedEvent>>;
  end(id: string, signal: AbortSignal): Promise<void>;
}

export function createApi(fetcher: Fetch): ChatApi {
  const http = new Http(fetcher);
  const at = (id: string, rest = '') => `/api/sessions/${encodeURIComponent(id)}${rest}`;

  async function answerFrom(
    response: Response,
    signal: AbortSignal,
    onEvent: (event: TurnEvent) => void,
  ): Promise<Answer> {
    for await (const { type, data } of http.events(response, signal)) {
      const body = parseJson(data);
      if (type === 'reply') return readAnswer(body) ?? unreadable();
      if (type === 'error') throw problemOf(readNumber(fields(body).status) ?? 500, body);
      const event = readTurnEvent(body);
      if (event !== null) onEvent(event);
    }
    throw new ApiError(0, 'the stream ended before the answer did');
  }

  return {
    async create(signal) {
      const body = await http.json('POST', '/api/sessions', { signal, body: {} });
      const id = readString(fields(body).session_id);
      return id === '' ? unreadable() : id;
    },
    async session(id, signal) {
      return readSession(await http.json('GET', at(id), { signal })) ?? unreadable();
    },
    async history(id, signal, before) {
      const earlier = before === undefined ? '' : `&before=${before}`;
      const path = at(id, `/messages?limit=${HISTORY_LIMIT}${earlier}`);
      return readHistory(await http.json('GET', path, { signal })) ?? unreadable();
    },
    async send(id, { text, key }, signal, onEvent) {
      const call = {
        signal,
        headers: { ...LIVE, 'idempotency-key': key },
        body: { message: text },
      };
      const response = await http.open('POST', at(id, '/messages'), call, ANSWER_BEGINS_MS);
      if (isEventStream(response)) return answerFrom(response, signal, onEvent);
      return readAnswer(await http.read(response, signal)) ?? unreadable();
    },
    async follow(id, after, signal) {
      const response = await http.open('GET', at(id, `/stream?after=${after}`), {
        signal,
        headers: LIVE,
      });
      return isEventStream(response) ? feedOf(http.events(response, signal)) : unreadable();
    },
    async end(id, signal) {
      // Who ends a conversation closes the page next.
      await http.json('DELETE', at(id), { signal, keepalive: true });
    },
  };
}

async function* feedOf(events: AsyncIterable<StreamEvent>): AsyncGenerator<FeedEvent, void> {
  for await (const { type, data } of events) {
    if (type === 'session.ended') yield 'session-ended';
    const event = readTurnEvent(parseJson(data));
    if (event !== null) yield event;
  }
}
