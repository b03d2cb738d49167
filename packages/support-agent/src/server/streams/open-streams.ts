import type { FastifyReply } from 'fastify';
import type { Clock } from 'holdfast';
import { HttpProblem } from '../errors/http-problem.ts';
import { EventStream } from './event-stream.ts';

/** Each may stand at 80 KB of events and, on Redis, 256 KB of output that was read with them. */
const maxStreams = 2_000;

export interface OpenStreamsOptions {
  readonly clock: Clock;
  /** 2,000 unless given. */
  readonly max?: number | undefined;
}

/** The event streams that this process serves: no more than it can hold, and told when it stops. */
export class OpenStreams {
  readonly #clock: Clock;
  readonly #max: number;
  /** Those that end when the server stops: a turn's own stream ends with its turn. */
  readonly #watching = new Set<EventStream>();
  #count = 0;
  #closing = false;

  constructor({ clock, max = maxStreams }: OpenStreamsOptions) {
    this.#clock = clock;
    this.#max = max;
  }

  get count(): number {
    return this.#count;
  }

  /** A stream that ends when the server stops. @throws HttpProblem when there is no room for it. */
  async watch(reply: FastifyReply, work: (stream: EventStream) => Promise<void>): Promise<void> {
    if (this.#closing) throw new HttpProblem('SERVER_CLOSING', stopping);
    await this.turn(reply, async (stream) => {
      this.#watching.add(stream);
      try {
        await work(stream);
      } finally {
        this.#watching.delete(stream);
      }
    });
  }

  /** A stream that ends with its turn. @throws HttpProblem when there is no room for it. */
  async turn(reply: FastifyReply, work: (stream: EventStream) => Promise<void>): Promise<void> {
    if (this.#count >= this.#max) throw new HttpProblem('STREAM_LIMIT', tooMany);
    this.#count += 1;
    try {
      await work(new EventStream(reply, this.#clock));
    } finally {
      this.#count -= 1;
    }
  }

  /** Ends the streams that watch; each tells its reader. */
  close(): void {
    this.#closing = true;
    for (const stream of this.#watching) stream.stop();
  }
}

const stopping = 'The server is stopping. Connect again: another one answers.';
const tooMany = 'This server has as many streams open as it takes. Try again shortly.';
