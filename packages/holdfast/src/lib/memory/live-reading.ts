import type { TurnEvent } from '../model/turn-event.ts';
import { onAbort } from '../store/on-abort.ts';
import type { LiveStream } from './live-stream.ts';

/** Where a reader begins. */
export interface LivePlace {
  readonly live: LiveStream;
  readonly cursor: number;
  /** Called when the reader begins to wait. */
  readonly onWait: () => void;
}

type Result = IteratorResult<TurnEvent, undefined>;

/** Who asked for an event that is not there yet. */
interface Asked {
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * One reader's way through a live stream. An event that is there is handed out at once, any other as
 * soon as it is appended. `return` and the signal end it at once, also while it waits.
 */
export class LiveReading implements AsyncIterableIterator<TurnEvent> {
  readonly #begin: () => LivePlace;
  #place: LivePlace | null = null;
  #cursor = 0;
  #isOver = false;
  /** In the order of asking. */
  #asked: Asked[] = [];
  #unlisten = () => {};
  #stopWaiting = () => {};

  /** @param begin is called by the first `next`, which fails as it does. */
  constructor(signal: AbortSignal | undefined, begin: () => LivePlace) {
    this.#begin = begin;
    this.#unlisten = onAbort(signal, () => this.#end());
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.#isOver) return Promise.resolve(nothing);
    try {
      const place = this.#begun();
      const event = this.#asked.length === 0 ? this.#read(place) : null;
      if (event !== null) return Promise.resolve({ done: false, value: event });
      if (place.live.ended) return this.return();
      return new Promise((resolve, reject) => {
        this.#asked.push({ resolve, reject });
        if (this.#asked.length === 1) this.#wait(place);
      });
    } catch (error) {
      this.#end();
      return Promise.reject(error);
    }
  }

  return(): Promise<Result> {
    this.#end();
    return Promise.resolve(nothing);
  }

  #begun(): LivePlace {
    if (this.#place === null) {
      this.#place = this.#begin();
      this.#cursor = this.#place.cursor;
    }
    return this.#place;
  }

  #read({ live }: LivePlace): TurnEvent | null {
    const event = live.next(this.#cursor);
    if (event !== null) this.#cursor = event.seq;
    return event;
  }

  #wait(place: LivePlace): void {
    this.#stopWaiting = place.live.onMore(() => {
      this.#answer(place);
      // It comes from inside of a write, to which `onWait` may not add.
      if (this.#asked.length > 0) queueMicrotask(() => this.#goOn(place));
    });
    place.onWait();
  }

  #goOn(place: LivePlace): void {
    this.#answer(place);
    if (this.#asked.length > 0) this.#wait(place);
  }

  #answer(place: LivePlace): void {
    try {
      while (this.#asked.length > 0) {
        const event = this.#read(place);
        if (event === null) break;
        this.#asked.shift()?.resolve({ done: false, value: event });
      }
    } catch (error) {
      this.#asked.shift()?.reject(error);
      this.#end();
    }
    if (place.live.ended) this.#end();
  }

  #end(): void {
    this.#isOver = true;
    this.#stopWaiting();
    this.#unlisten();
    for (const { resolve } of this.#asked.splice(0)) resolve(nothing);
  }
}

const nothing: Result = Object.freeze({ done: true, value: undefined });
