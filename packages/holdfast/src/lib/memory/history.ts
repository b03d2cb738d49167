import { type Message, type PreparedMessage, placeMessage } from '../model/message.ts';
import type { Sealer } from './sealer.ts';

/**
 * A session's messages, oldest first: the newest `capacity` of them. Appending costs what is
 * appended; dropped ones are cut off in bulk, so that too is amortised O(1) a message.
 */
export class History {
  readonly #capacity: number;
  readonly #sealer: Sealer | null;
  #messages: (Message | SealedMessage)[] = [];
  /** Messages at the front that were dropped and are not cut off yet. */
  #dropped = 0;
  #lastSeq = 0;

  constructor(capacity: number, sealer: Sealer | null = null) {
    this.#capacity = capacity;
    this.#sealer = sealer;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  append(messages: readonly PreparedMessage[], now: number): readonly Message[] {
    const placed = messages.map((message) => {
      this.#lastSeq += 1;
      return placeMessage(message, this.#lastSeq, now);
    });
    for (const message of placed) {
      this.#messages.push(this.#sealer === null ? message : sealed(message, this.#sealer));
    }
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
    const [from, to] =
      after === undefined
        ? [Math.max(oldest, end - limit), Math.max(end, oldest)]
        : [oldest, Math.max(oldest, Math.min(end, oldest + limit))];
    const page = this.#messages.slice(from, to);
    const sealer = this.#sealer;
    if (sealer === null) return Object.freeze(page as Message[]);
    return Object.freeze(page.map((message) => opened(message as SealedMessage, sealer)));
  }
}

/** A message whose content is kept through a codec. */
type SealedMessage = Omit<Message, 'content'> & { readonly sealed: Buffer };

function sealed({ content, ...rest }: Message, sealer: Sealer): SealedMessage {
  return { ...rest, sealed: sealer.seal(content, 'messages', rest.seq) };
}

function opened({ sealed, ...rest }: SealedMessage, sealer: Sealer): Message {
  return Object.freeze({ ...rest, content: sealer.open(sealed, 'messages', rest.seq) });
}
