import type { Fetch } from '../../http.ts';

export interface Call {
  /** As `POST /s-1/messages`, the part after `/api/sessions`. */
  readonly line: string;
  readonly key: string | null;
  readonly body: unknown;
  readonly init: RequestInit;
}

export type Reply = () => Response | Promise<Response>;

export const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });
export const created = (id: string) => () => json({ session_id: id, token: 'secret' }, 201);
export const answer =
  (message: string, more: object = {}) =>
  () =>
    json(answerBody(message, more));
export const answerBody = (message: string, more: object = {}) => ({
  message,
  sources: [],
  requires_escalation: false,
  metadata: { ticket: null },
  ...more,
});
export const problem =
  (status: number, code = 'x') =>
  () =>
    json({ status, code, detail: 'internal' }, status);
export const deleted = () => new Response(null, { status: 204 });
export const offline = () => Promise.reject(new TypeError('Failed to fetch'));

/** A reply that comes when `arrive` says so. */
export function pending() {
  let arrive: (response: Response) => void = () => {};
  const response = new Promise<Response>((resolve) => {
    arrive = resolve;
  });
  return { reply: () => response, arrive: (late: Response) => arrive(late) };
}

export interface Said {
  readonly seq: number;
  readonly role: string;
  readonly content: unknown;
  readonly created_at?: string;
}

/** Messages of customer and assistant in turn, numbered from 1. */
export function said(...texts: string[]): Said[] {
  return texts.map((text, index) => ({
    seq: index + 1,
    role: index % 2 === 0 ? 'user' : 'assistant',
    content: { text },
  }));
}

/** An event stream that a test writes. */
export class FakeStream {
  readonly response: Response;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  readonly #encoder = new TextEncoder();

  constructor(signal: AbortSignal | null | undefined) {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
    });
    signal?.addEventListener('abort', () => this.break());
    this.response = new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  }

  /** An event of a turn. */
  say(seq: number, turn: string, type: string, more: object = {}): this {
    const event = { seq, turn_id: turn, type, created_at: timeOf(seq), ...more };
    return this.send(type, event, `id: ${seq}\n`);
  }

  send(type: string, data: object, head = ''): this {
    const text = `${head}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
    this.#controller?.enqueue(this.#encoder.encode(text));
    return this;
  }

  end(): void {
    this.#controller?.close();
  }

  break(): void {
    try {
      this.#controller?.error(new TypeError('network error'));
    } catch {
      // It is over already.
    }
  }
}

/** Events are one second apart. */
export function timeOf(seq: number): string {
  return new Date(Date.UTC(2026, 0, 5) + seq * 1000).toISOString();
}

/**
 * A server as a test has it: what is asked of a session is answered from `session`, `history` and
 * streams that the test writes, all else from `replies`, in order.
 */
export class FakeServer {
  readonly calls: Call[] = [];
  replies: Reply[] = [];
  /** Answers to `GET /:id/messages` before those from `history`. */
  histories: Reply[] = [];
  history: readonly Said[] = [];
  session: Record<string, unknown> = {};
  /** The streams of the session that were opened, in order. */
  readonly streams: FakeStream[] = [];
  streamsRefused = false;
  /** Answers to `GET /:id/stream` before those that are streams. */
  streamReplies: Reply[] = [];
  #woken = () => {};

  readonly fetch: Fetch = async (url, init) => {
    const line = `${init.method} ${url.replace('/api/sessions', '')}`;
    const key = new Headers(init.headers).get('idempotency-key');
    const body = typeof init.body === 'string' ? JSON.parse(init.body) : undefined;
    this.calls.push({ line, key, body, init });
    this.#woken();
    return this.#reply(line, init);
  };

  /** What was asked, without the session itself and its stream. */
  get lines(): string[] {
    return this.calls
      .map(({ line }) => line)
      .filter((line) => !/^GET \/[^/]*(\/stream.*)?$/.test(line));
  }

  /** What was sent, without what was only read. */
  get sent(): Call[] {
    return this.calls.filter(({ line }) => !line.startsWith('GET'));
  }

  /** The stream that is opened next, or was opened as number `index`. */
  async stream(index: number): Promise<FakeStream> {
    for (;;) {
      const stream = this.streams[index];
      if (stream !== undefined) return stream;
      await new Promise<void>((resolve) => {
        this.#woken = resolve;
      });
    }
  }

  /** A reply to a message that streams what the test writes. */
  streaming(): { reply: Reply; stream: FakeStream } {
    const stream = new FakeStream(null);
    return { reply: () => stream.response, stream };
  }

  async #reply(line: string, { signal }: RequestInit): Promise<Response> {
    if (/^GET \/[^/]*\/stream/.test(line)) {
      if (this.streamsRefused) return offline();
      const scripted = this.streamReplies.shift();
      if (scripted) return scripted();
      const stream = new FakeStream(signal);
      this.streams.push(stream);
      this.#woken();
      return stream.response;
    }
    if (/^GET \/[^/]*\/messages/.test(line)) {
      const scripted = this.histories.shift();
      return scripted ? scripted() : json({ messages: this.history, next_before: null });
    }
    if (/^GET \/[^/]*$/.test(line)) {
      return json({ session_id: line.slice(5), status: 'active', version: 1, ...this.session });
    }
    const reply = this.replies.shift();
    if (reply === undefined) throw new Error(`unexpected call: ${line}`);
    return reply();
  }
}
