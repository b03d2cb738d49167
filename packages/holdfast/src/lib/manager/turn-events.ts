import { endsTurn, type TurnEvent } from '../model/turn-event.ts';
import type { Ending } from '../store/ending.ts';
import type { SessionStore } from '../store/session-store.ts';
import { type Lease, turnId } from '../store/turn-store.ts';

/** Where a turn's live output begins; `null` when there is none, as in a repeat. */
export type OutputStart = { readonly lease: Lease; readonly lastEventSeq: number } | null;

type Subscribed = Pick<SessionStore<object, never>, 'subscribe'>;
type Result = IteratorResult<TurnEvent, undefined>;

/**
 * The live output of one turn, from its beginning however late one starts to read, and as often as
 * one likes. A reader that leaves stops nothing. Throws what kept the turn from beginning, and
 * `SessionGoneError` when the session has ended before the reading began.
 *
 * @param lost ends, with why, when the turn failed and none of its output was written.
 */
export function turnEventsOf(
  store: Subscribed,
  begun: Promise<OutputStart>,
  lost: Ending<unknown>,
): AsyncIterable<TurnEvent> {
  return { [Symbol.asyncIterator]: () => new TurnReading(store, begun, lost) };
}

/** One reader's way through it: two promises an event, where nested generators make a dozen. */
class TurnReading implements AsyncIterableIterator<TurnEvent> {
  readonly #store: Subscribed;
  readonly #begun: Promise<OutputStart>;
  readonly #lost: Ending<unknown>;
  readonly #unlisten: () => void;
  #turn: { readonly id: string; readonly lease: Lease } | null = null;
  #events: AsyncIterator<TurnEvent> | null = null;
  #isOver = false;
  #leave = () => {};
  /** Calls without an answer yet. Each waits for the one before, so that events stay in order. */
  #open = 0;
  #last: Promise<Result> = Promise.resolve(nothing);

  constructor(store: Subscribed, begun: Promise<OutputStart>, lost: Ending<unknown>) {
    this.#store = store;
    this.#begun = begun;
    this.#lost = lost;
    this.#unlisten = lost.onEnd(() => this.#close());
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    this.#last = this.#open === 0 ? this.#step() : this.#last.then(this.#step, this.#step);
    this.#open += 1;
    return this.#last;
  }

  return(): Promise<Result> {
    this.#end();
    return Promise.resolve(nothing);
  }

  readonly #step = (): Promise<Result> => {
    if (this.#isOver) return Promise.resolve(this.#answered(nothing));
    if (this.#events === null) return this.#begin().then(this.#step, this.#fail);
    return this.#events.next().then(this.#take, this.#fail);
  };

  async #begin(): Promise<void> {
    const left = new Promise<null>((resolve) => {
      this.#leave = () => resolve(null);
      if (this.#lost.ended !== null) this.#leave();
    });
    const start = await Promise.race([this.#begun, left]);
    if (start === null || this.#isOver) {
      // What ended it before its turn began is what its reader must learn, unless that has left.
      if (!this.#isOver && this.#lost.ended !== null) throw this.#lost.ended.reason;
      this.#end();
      return;
    }
    const { lease, lastEventSeq: after } = start;
    const { sessionId, incarnation } = lease;
    this.#turn = { id: turnId(lease), lease };
    this.#events = this.#store.subscribe(sessionId, { after, incarnation });
    if (this.#lost.ended !== null) this.#close();
  }

  readonly #take = (result: Result): Result | Promise<Result> =>
    this.#isOfAnother(result) ? this.#passOver() : this.#taken(result);

  /** Without leases there may be any number: promises that wait for one another would be as many. */
  async #passOver(): Promise<Result> {
    let result = nothing;
    do {
      try {
        result = (await this.#events?.next()) ?? nothing;
      } catch (error) {
        return this.#fail(error);
      }
    } while (this.#isOfAnother(result));
    return this.#taken(result);
  }

  #isOfAnother({ done, value }: Result): boolean {
    return !this.#isOver && !done && value.turnId !== this.#turn?.id && !this.#isLater(value);
  }

  /**
   * With leases turns follow each other: a later one's output says that this one's has ended, even if its
   * last events are no longer kept.
   */
  #isLater({ turnId: id }: TurnEvent): boolean {
    const lease = this.#turn?.lease;
    return lease?.ifVersion === null && Number(id) > lease.fence;
  }

  #taken(result: Result): Result {
    if (this.#isOver) return this.#answered(nothing);
    if (result.done && this.#lost.ended !== null) return this.#fail(this.#lost.ended.reason);
    const isOwn = !result.done && !this.#isLater(result.value);
    if (!isOwn || endsTurn(result.value)) this.#end();
    return this.#answered(isOwn ? result : nothing);
  }

  readonly #fail = (error: unknown): never => {
    this.#end();
    this.#open -= 1;
    throw error;
  };

  #answered(result: Result): Result {
    this.#open -= 1;
    return result;
  }

  #end(): void {
    this.#isOver = true;
    this.#unlisten();
    this.#close();
  }

  #close(): void {
    this.#leave();
    this.#events?.return?.().catch(() => {});
  }
}

const nothing: Result = Object.freeze({ done: true, value: undefined });
