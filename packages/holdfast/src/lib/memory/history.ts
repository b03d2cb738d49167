import { type Message, type PreparedMessage, placeMessage } from '../model/message.ts';

/**
 * A session's messages, oldest first: the newest `capacity` of them. Appending costs what is
 * appended; dropped ones are cut off in bulk, so that too is amortised O(1) a message.
 */
export class History {
  readonly #capacity: number;
  #messages: Message[] = [];
  /** Messages at the front that were dropped and are not cut off yet. */
  #dropped = 0;
  #lastSeq = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  append(messages: readonly PreparedMessage[], now: number): readonly Message[] {
    const placed = messages.map((message) => {
      this.#lastSeq += 1;
      return placeMessage(message, this.#lastSeq, now);
    });
    for (const message of placed) this.#messages.push(message);
    this.#dropped = Math.max(this.#dropped, this.#messages.length - this.#capacity);
    if (this.#dropped > this.#capacity) {
      this.#messages = this.#messages.slice(this.#dropped);
      this.#dropped = 0;
    }
    return Object.freeze(placed);
  }

  /**
   * The messages between `after` and `before` (both exclusive), oldest first: the newest `limit` of
   * them, or behind a given `after` the oldest.
   */
  page(limit: number, before: number, after: number | undefined): readonly Message[] {
    const firstSeq = this.#lastSeq - this.#messages.length + 1;
    const end = Math.min(this.#messages.length, before - firstSeq);
    const oldest = Math.max(this.#dropped, (after ?? 0) - firstSeq + 1);
    if (after === undefined) {
      return Object.freeze(
        this.#messages.slice(Math.max(oldest, end - limit), Math.max(end, oldest)),
      );
    }
    return Object.freeze(
      this.#messages.slice(oldest, Math.max(oldest, Math.min(end, oldest + limit))),
    );
  }
}
