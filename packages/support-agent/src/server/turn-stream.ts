import type { Clock, TurnEvent } from 'holdfast';
import type { StartedMessage } from '../agent/customer-support-agent.ts';
import { within } from '../within.ts';
import type { StreamEvent } from './event-stream.ts';
import { presentEvent } from './presenters.ts';

/** How long the last events of a turn may come after its reply. */
const patienceMs = 1_000;

/** A live event for a stream, where it can be resumed. */
function streamed(event: TurnEvent): StreamEvent {
  return { id: event.seq, event: event.type, data: presentEvent(event) };
}

/** The events of an iterator one by one; `null` when there are no more. */
export function eventsOf(events: AsyncIterator<TurnEvent>): () => Promise<StreamEvent | null> {
  return async () => {
    const { done, value } = await events.next();
    return done ? null : streamed(value);
  };
}

/** The events of `next`, and behind them what `last` comes to. */
export function followedBy(
  next: () => Promise<StreamEvent | null>,
  last: () => Promise<StreamEvent | null>,
): () => Promise<StreamEvent | null> {
  let isOver = false;
  return async () => {
    if (isOver) return null;
    const event = await next();
    if (event !== null) return event;
    isOver = true;
    return last();
  };
}

/**
 * The live events of a message until its reply is there: only that says how the message ended. Events
 * that fail to come, because the store does not tell of them, are no end.
 */
export class MessageEvents {
  readonly #events: AsyncIterator<TurnEvent>;
  readonly #clock: Clock;
  /** The reply is there, or nobody waits for it. */
  readonly #over: Promise<null>;
  #leave = () => {};

  constructor({ events, reply }: StartedMessage, clock: Clock) {
    this.#events = events[Symbol.asyncIterator]();
    this.#clock = clock;
    this.#over = new Promise((resolve) => {
      this.#leave = () => resolve(null);
      reply.then(this.#leave, this.#leave);
    });
  }

  readonly next = async (): Promise<StreamEvent | null> => {
    const coming = this.#next();
    const first = await Promise.race([coming, this.#over]);
    if (first !== null) return first;
    await this.#over;
    const last = await within(patienceMs, this.#clock, coming);
    return last === 'late' ? null : last;
  };

  /** Nobody reads them any more. */
  close(): void {
    this.#leave();
    this.#events.return?.().catch(() => {});
  }

  async #next(): Promise<StreamEvent | null> {
    try {
      const { done, value } = await this.#events.next();
      return done ? null : streamed(value);
    } catch {
      return null;
    }
  }
}
