import type { OutgoingHttpHeaders } from 'node:http';
import { setImmediate as allDueNow } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import type { Clock } from 'holdfast';
import { StreamedBody } from './streamed-body.ts';

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

const headers = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  // nginx would collect events to send them together.
  'x-accel-buffering': 'no',
};

/**
 * One reader's stream of events. The next ones are fetched when the connection has taken the last: a
 * slow reader holds up nobody but itself, and costs one slice and the events it is of.
 */
export class EventStream {
  readonly #reply: FastifyReply;
  readonly #clock: Clock;
  readonly #body: StreamedBody;
  #stopped = false;
  #isOver = false;
  readonly #whenOver: (() => void)[] = [];
  /** Made when somebody asks for the signal: a turn's own stream never does. */
  #controller: AbortController | null = null;

  constructor(reply: FastifyReply, clock: Clock) {
    this.#reply = reply;
    this.#clock = clock;
    this.#body = new StreamedBody(reply, clock, () => this.#end());
  }

  /** Aborts when there is nothing more to send: the reader has left, or must, or `stop` was called. */
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
    return this.#body.connected;
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
    if (!this.connected) return;
    const all = this.#reply.getHeaders() as OutgoingHttpHeaders;
    this.#reply.raw.writeHead(200, Object.assign(all, headers));
  }

  /** Shows the reader that the stream is open, though nothing has come yet. */
  flush(): void {
    this.#body.begin();
  }

  /** Resolves when the connection has taken the event (`framed`), or the reader has left. */
  async send(event: string): Promise<void> {
    this.#body.add(event);
    await this.#body.flushed();
  }

  /**
   * Sends what is `coming`, framed, and what comes `next`, until there is no more or nobody to send it to: what
   * gives the events must end them when the stream is over. Every 15 s it keeps the connection alive
   * and asks whether the reader `mayStay`.
   */
  async relay(
    coming: Promise<string | null>,
    next: () => Promise<string | null>,
    mayStay: () => Promise<boolean> = async () => true,
  ): Promise<void> {
    const stopBeating = this.#beat(mayStay);
    try {
      for (let event = await coming; event !== null && !this.#isOver; event = await next()) {
        this.#body.add(event);
        if (!this.#body.isTaking) continue;
        await this.#body.room();
        // A connection can take all there is at once: with many such readers nothing else would be served.
        await allDueNow();
      }
    } finally {
      stopBeating();
    }
  }

  /** Resolves when the connection has taken all of it, or the reader has left. */
  async end(): Promise<void> {
    await this.#body.end();
  }

  #beat(mayStay: () => Promise<boolean>): () => void {
    let cancel = () => {};
    let isBeating = true;
    const arm = () => {
      cancel = this.#clock.setTimer(heartbeatMs, beat);
    };
    const beat = async () => {
      this.#body.add(heartbeat);
      const isWelcome = await mayStay();
      if (!isBeating) return;
      if (isWelcome) arm();
      else this.#end();
    };
    arm();
    return () => {
      isBeating = false;
      cancel();
    };
  }

  #end(): void {
    this.#isOver = true;
    for (const tell of this.#whenOver.splice(0)) tell();
  }
}

/** Nobody gets to see it: without one, each abort would make an exception with its stack. */
const over = new Error('The stream is over.');
