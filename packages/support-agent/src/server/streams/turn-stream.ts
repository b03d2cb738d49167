import type { Clock, TurnEvent } from 'holdfast';
import type { StartedMessage } from '../../agent/customer-support-agent.ts';
import { presentEvent } from '../api/presenters.ts';
import { framed } from './event-stream.ts';

/** How long an event of a turn may take to come once its reply is there. */
const patienceMs = 1_000;

/** A live event as a stream sends it, where it can be resumed. */
function shown(event: TurnEvent): string {
  return framed({ id: event.seq, event: event.type, data: presentEvent(event) });
}

/** What is sent to all who watch a session: the store hands them the same event, as long as it keeps it. */
const shownToAll = new WeakMap<TurnEvent, string>();

function shownOnce(event: TurnEvent): string {
  const known = shownToAll.get(event);
  if (known !== undefined) return known;
  const text = shown(event);
  shownToAll.set(event, text);
  return text;
}

/**
 * The events of an iterator one by one, as a stream sends them; `null` when there are no more. However
 * many iterators give an event, it is framed once.
 */
export function eventsOf(events: AsyncIterator<TurnEvent>): () => Promise<string | null> {
  return () => events.next().then(({ done, value }) => (done ? null : shownOnce(value)));
}

/** The events of `next`, and behind them what `last` comes to. */
export function followedBy(
  next: () => Promise<string | null>,
  last: () => Promise<string | null>,
): () => Promise<string | null> {
  let isOver = false;
  const orLast = (event: string | null) => {
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
  readonly #clock: Clock;
  #hasReply = false;
  #isOver = false;
  /** Gives up the event that is waited for, if one is. */
  #leave: (() => void) | null = null;
  #cancel = () => {};

  constructor({ events, reply }: StartedMessage, clock: Clock) {
    this.#events = events[Symbol.asyncIterator]();
    this.#clock = clock;
    const over = () => {
      this.#hasReply = true;
      this.#limit();
    };
    reply.then(over, over);
  }

  readonly next = (): Promise<string | null> =>
    new Promise((resolve) => {
      const leave = () => answer(null);
      const answer = (event: string | null) => {
        if (this.#leave !== leave) return;
        this.#leave = null;
        this.#cancel();
        resolve(event);
      };
      this.#leave = leave;
      if (this.#isOver) leave();
      else {
        this.#limit();
        this.#events
          .next()
          .then(({ done, value }) => (done ? null : shown(value)))
          .then(answer, leave);
      }
    });

  /** Nobody reads them any more. */
  close(): void {
    this.#isOver = true;
    this.#leave?.();
    this.#events.return?.().catch(() => {});
  }

  /** Each event has its time, and only while it is waited for: a slow reader gets all the same. */
  #limit(): void {
    if (this.#hasReply && this.#leave !== null) {
      this.#cancel = this.#clock.setTimer(patienceMs, this.#leave);
    }
  }
}
