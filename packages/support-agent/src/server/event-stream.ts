import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
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
  const place = id === undefined ? '' : `id: ${id}\n`;
  const pause = retry === undefined ? '' : `retry: ${retry}\n`;
  const name = event.replace(/[\r\n]/g, ' ');
  return `${place}event: ${name}\n${pause}data: ${JSON.stringify(data)}\n\n`;
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
  #connected = true;
  #stopped = false;
  #isOver = false;
  readonly #whenOver: (() => void)[] = [];
  /** Made when somebody asks for the signal: a turn's own stream never does. */
  #controller: AbortController | null = null;
  /** Whether anything has been sent, if only the head. */
  #hasBegun = false;
  /** The last events of what was relayed: they go with what comes behind them. */
  #held = '';
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
    if (this.#controller === null) {
      const controller = new AbortController();
      this.#controller = controller;
      this.onOver(() => controller.abort(over));
    }
    return this.#controller.signal;
  }

  /** Calls back once when there is nothing more to send, at once if that is so already. */
  onOver(callback: () => void): void {
    if (this.#isOver) callback();
    else this.#whenOver.push(callback);
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
    this.#end();
  }

  /** Begins the answer. From here on a failure is an event. */
  open(): void {
    this.#reply.hijack();
    if (!this.#connected) return;
    this.#raw.writeHead(200, { ...(this.#reply.getHeaders() as OutgoingHttpHeaders), ...headers });
  }

  /** Shows the reader that the stream is open, though nothing has come yet. */
  flush(): void {
    if (!this.#connected) return;
    this.#hasBegun = true;
    this.#raw.flushHeaders();
  }

  /** Resolves when the connection has taken the event, or the reader has left. */
  async send(event: StreamEvent): Promise<void> {
    await this.#write(this.#held + framed(event));
  }

  /**
   * Sends what is `coming` and what comes `next`, until there is no more or nobody to send it to; the last
   * of it with what is sent next, or with the end. Every 15 s it keeps the connection alive and asks
   * whether the reader `mayStay`.
   */
  async relay(
    coming: Promise<StreamEvent | null>,
    next: () => Promise<StreamEvent | null>,
    mayStay: () => Promise<boolean> = async () => true,
  ): Promise<void> {
    let awaited = coming;
    let due = this.#clock.monotonic() + heartbeatMs;
    while (!this.#isOver) {
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
        if (this.#hasBegun) {
          const now = allDueNow();
          let more = await soon(awaited, now);
          while (more && text.length < sliceBytes) {
            text += framed(more);
            awaited = unawaited(next());
            more = await soon(awaited, now);
          }
          if (more === null && text.length < sliceBytes) {
            this.#held = text;
            return;
          }
        }
        await this.#write(text);
      }
    }
  }

  /** Resolves when the connection has taken all of it, or the reader has left. */
  async end(): Promise<void> {
    if (this.#connected) await this.#taken((taken) => this.#raw.end(this.#held, taken));
  }

  #close(): void {
    this.#connected = false;
    this.#end();
    this.#letGo();
  }

  #end(): void {
    this.#isOver = true;
    for (const tell of this.#whenOver.splice(0)) tell();
  }

  async #write(text: string): Promise<void> {
    this.#held = '';
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length && this.#connected; at += sliceBytes) {
      const slice = bytes.subarray(at, at + sliceBytes);
      await this.#taken((taken) => {
        if (this.#hasBegun) this.#raw.write(slice, taken);
        else this.#begin(slice, taken);
      });
    }
  }

  /** Left to itself Node would wait with the head until the work that is due now has been done. */
  #begin(slice: Buffer, taken: () => void): void {
    this.#hasBegun = true;
    this.#raw.cork();
    this.#raw.write(slice, taken);
    this.#raw.uncork();
  }

  async #taken(hand: (taken: () => void) => void): Promise<void> {
    const taken = new Promise<void>((resolve) => {
      this.#letGo = resolve;
      hand(() => resolve());
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

/** Resolves when all that is due now has been done. */
function allDueNow(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(resolve, undefined));
}

/** What it comes to, if that is known by `then`. */
function soon<Value>(
  promise: Promise<Value>,
  then: Promise<undefined>,
): Promise<Value | undefined> {
  return Promise.race([promise.catch(() => undefined), then]);
}
