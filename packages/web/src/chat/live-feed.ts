import { isGone } from '../http.ts';
import type { Pause } from '../pause.ts';
import type { TurnEvent } from '../wire.ts';
import type { ChatApi } from './api.ts';

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 30_000;

export interface FeedOptions {
  readonly api: Pick<ChatApi, 'follow'>;
  readonly pause: Pause;
  readonly onEvent: (event: TurnEvent) => void;
  /** The stream has ended for good, unless its reader has a newer token by now. */
  readonly onEnded: () => void;
  /** The stream has begun: what was missed comes next. */
  readonly onConnected: () => void;
  /** There is no stream for now; it is tried again. */
  readonly onOffline: () => void;
}

/** Follows one session's live output, from where it left off after each break. */
export class LiveFeed {
  readonly #options: FeedOptions;
  #stop = new AbortController();
  #id: string | null = null;
  #after = 0;
  #suspended = false;
  /** The server has ended the stream, or refused it, and has not begun another one. */
  #ended = false;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  start(id: string, after: number): void {
    this.#id = id;
    this.#after = after;
    this.reconnect();
  }

  /** Tries at once, whatever it was waiting for. */
  reconnect(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    if (this.#id === null || this.#suspended) return;
    void this.#run(this.#id, this.#stop.signal);
  }

  /** Holds no connection until `resume`, which goes on where it was. */
  suspend(): void {
    this.#suspended = true;
    this.#stop.abort();
  }

  resume(): void {
    if (!this.#suspended) return;
    this.#suspended = false;
    this.reconnect();
  }

  stop(): void {
    this.#id = null;
    this.#stop.abort();
  }

  async #run(id: string, signal: AbortSignal): Promise<void> {
    const { api, pause, onEvent, onEnded, onConnected, onOffline } = this.#options;
    let delay = FIRST_DELAY_MS;
    while (!signal.aborted) {
      try {
        const events = await api.follow(id, this.#after, signal);
        if (signal.aborted) return;
        delay = FIRST_DELAY_MS;
        this.#ended = false;
        onConnected();
        for await (const event of events) {
          if (signal.aborted) return;
          if (event === 'session-ended') {
            // A void token, too, ends a stream.
            this.#ended = true;
            break;
          }
          this.#after = Math.max(this.#after, event.seq);
          onEvent(event);
        }
      } catch (error) {
        if (signal.aborted) return;
        onOffline();
        if (isGone(error)) {
          // A token may be void before the new one is here: the next try tells.
          if (this.#ended) onEnded();
          this.#ended = true;
        }
      }
      await pause(delay, signal);
      delay = Math.min(delay * 2, LONGEST_DELAY_MS);
    }
  }
}
