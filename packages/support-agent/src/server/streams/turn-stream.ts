import type { Clock, TurnEvent } from 'holdfast';
import type { StartedMessage } from '../../agent/customer-support-agent.ts';
import { presentEvent } from '../api/presenters.ts';
import type { StreamEvent } from './event-stream.ts';

/** How long the last events of a turn may come after its reply. */
const patienceMs = 1_000;

/** A live event for a stream, where it can be resumed. */
function streamed(event: TurnEvent): StreamEvent {
  return { id: event.seq, event: event.type, data: presentEvent(event) };
}

/** What an iterator gave, for a stream; `null` at its end. */
function shown({ done, value }: IteratorResult<TurnEvent>): StreamEvent | null {
  return done ? null : streamed(value);
}

/** The events of an iterator one by one; `null` when there are no more. */
export function eventsOf(events: AsyncIterator<TurnEvent>): () => Promise<StreamEvent | null> {
  return () => events.next().then(shown);
}

/** The events of `next`, and behind them what `last` comes to. */
export function followedBy(
  next: () => Promise<StreamEvent | null>,
  last: () => Promise<StreamEvent | null>,
): () => Promise<StreamEvent | null> {
  let isOver = false;
  const orLast = (event: StreamEvent | null) => {
    if (event !== null) return event;
    isOver = true;
    return last();
  };
  return () => (isOver ? Promise.resolve(null) : next().then(orLast));
}

/**
 * The live events of a message until its reply is there: only that says how the message ended. Events
 * that fail to come, because the store does not tell of them, are no end.
 */
export class MessageEvents {
  readonly #events: AsyncIterator<TurnEvent>;
  #isOver = false;
  #leave = () => {};
  #cancel = () => {};

  constructor({ events, reply }: StartedMessage, clock: Clock) {
    this.#events = events[Symbol.asyncIterator]();
    const over = () => {
      if (!this.#isOver) this.#cancel = clock.setTimer(patienceMs, () => this.close());
    };
    reply.then(over, over);
  }

  readonly next = (): Promise<StreamEvent | null> =>
    new Promise((resolve) => {
      this.#leave = () => resolve(null);
      if (this.#isOver) this.#leave();
      else this.#events.next().then(shown).then(resolve, this.#leave);
    });

  /** Nobody reads them any more. */
  close(): void {
    this.#isOver = true;
    this.#cancel();
    this.#leave();
    this.#events.return?.().catch(() => {});
  }
}
