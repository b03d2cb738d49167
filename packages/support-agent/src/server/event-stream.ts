import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { Clock } from 'holdfast';
import { within } from '../within.ts';

/** What one event of a stream says. */
export interface StreamEvent {
  /** Where a reader that comes back resumes. */
  readonly id?: number | undefined;
  readonly event: string;
  readonly data: unknown;
  /** How long a reader waits before it comes back, in milliseconds. */
  readonly retry?: number | undefined;
}

/** An event as the WHATWG HTML standard frames it (section 9.2.5). JSON has no line breaks of its own. */
export function framed({ id, event, data, retry }: StreamEvent): string {
  const lines = [
    ...(id === undefined ? [] : [`id: ${id}`]),
    `event: ${event.replace(/[\r\n]/g, ' ')}`,
    ...(retry === undefined ? [] : [`retry: ${retry}`]),
    `data: ${JSON.stringify(data)}`,
  ];
  return `${lines.join('\n')}\n\n`;
}

/** A comment: it keeps proxies from ending a stream on which nothing happens. */
const heartbeat = ': \n\n';
const heartbeatMs = 15_000;

/** So much is handed to the connection at once: what a slow reader costs beside the events it is of. */
export const sliceBytes = 16 * 1024;
/** A reader that takes longer for one slice is let go; it may come back and resume. */
const patienceMs = 60_000;

const headers = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  // nginx would collect events to send them together.
  'x-accel-buffering': 'no',
};

/**
 * One reader's stream of events. The next ones are sent, and fetched, when the connection has taken
 * the last: a slow reader holds up nobody but itself, and costs one slice and the events it is of.
 */
export class EventStream {
  readonly #reply: FastifyReply;
  readonly #raw: ServerResponse;
  readonly #clock: Clock;
  readonly #over = new AbortController();
  #connected = true;
  #stopped = false;
  #hasBegun = false;
  #letGo = () => {};

  constructor(reply: FastifyReply, clock: Clock) {
    this.#reply = reply;
    this.#raw = reply.raw;
    this.#clock = clock;
    // What a cut connection reports; that it is closed follows.
    this.#raw.on('error', () => {});
    if (this.#raw.destroyed) this.#close();
    else this.#raw.once('close', () => this.#close());
  }

  /** Aborts when there is nothing more to send: the reader has left, or `stop` was called. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Whether the reader is still there. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Whether `stop` was called. */
  get stopped(): boolean {
    return this.#stopped;
  }

  stop(): void {
    this.#stopped = true;
    this.#over.abort(over);
  }

  /** Begins the answer. From here on a failure is an event. */
  open(): void {
    this.#reply.hijack();
    if (!this.#connected) return;
    for (const [name, value] of Object.entries({ ...this.#reply.getHeaders(), ...headers })) {
      if (value !== undefined) this.#raw.setHeader(name, value);
    }
    this.#raw.writeHead(200);
  }

  /** Shows the reader that the stream is open, though nothing has come yet. */
  flush(): void {
    if (this.#connected) this.#raw.flushHeaders();
  }

  /** Resolves when the connection has taken the event, or the reader has left. */
  async send(event: StreamEvent): Promise<void> {
    await this.#write(framed(event));
  }

  /**
   * Sends what is `coming` and what comes `next`, until there is no more or `signal` aborts. Every
   * 15 s it keeps the connection alive and asks whether the reader `mayStay`.
   */
  async relay(
    coming: Promise<StreamEvent | null>,
    next: () => Promise<StreamEvent | null>,
    mayStay: () => Promise<boolean> = async () => true,
  ): Promise<void> {
    let awaited = coming;
    let due = this.#clock.monotonic() + heartbeatMs;
    while (!this.signal.aborted) {
      const left = due - this.#clock.monotonic();
      const event = left > 0 ? await within(left, this.#clock, awaited) : 'late';
      if (event === null) return;
      if (event === 'late') {
        await this.#write(heartbeat);
        if (!(await mayStay())) return;
        due = this.#clock.monotonic() + heartbeatMs;
      } else {
        let text = framed(event);
        awaited = unawaited(next());
        // The first one goes at once, with what is there already any other: a write costs more than
        // many events.
        let more = this.#hasBegun ? await soon(awaited) : null;
        while (more && text.length < sliceBytes) {
          text += framed(more);
          awaited = unawaited(next());
          more = await soon(awaited);
        }
        this.#hasBegun = true;
        await this.#write(text);
      }
    }
  }

  end(): void {
    if (this.#connected) this.#raw.end();
  }

  #close(): void {
    this.#connected = false;
    this.#over.abort(over);
    this.#letGo();
  }

  async #write(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length && this.#connected; at += sliceBytes) {
      await this.#taken(bytes.subarray(at, at + sliceBytes));
    }
  }

  async #taken(slice: Buffer): Promise<void> {
    const taken = new Promise<void>((resolve) => {
      this.#letGo = resolve;
      this.#raw.write(slice, () => resolve());
    });
    if ((await within(patienceMs, this.#clock, taken)) !== 'late') return;
    this.#reply.log.info('slow reader of a stream let go');
    this.#raw.destroy();
  }
}

/** Nobody gets to see it: without one, each abort would make an exception with its stack. */
const over = new Error('The stream is over.');

/** It is awaited later, maybe after it has failed. */
function unawaited<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {});
  return promise;
}

/** What it comes to, if that is known when all that is due now has been done. */
function soon<Value>(promise: Promise<Value>): Promise<Value | undefined> {
  const later = new Promise<undefined>((resolve) => setImmediate(resolve, undefined));
  return Promise.race([promise.catch(() => undefined), later]);
}
