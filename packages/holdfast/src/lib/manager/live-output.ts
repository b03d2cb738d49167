import type { CancelTimer, Clock } from '../clock.ts';
import { type PreparedOutput, turnEvents } from '../model/turn-event.ts';
import type { Lease, TurnStore } from '../store/turn-store.ts';

export interface LiveOutputOptions {
  readonly store: Pick<TurnStore, 'emit' | 'outputIntervalMs'>;
  readonly lease: () => Lease;
  readonly attempt: number;
  readonly clock: Clock;
  /** A write failed: the turn's readers miss output, so the turn must end. */
  readonly onError: (error: unknown) => void;
}

/**
 * The live output of one turn: pieces are written in order, one write at a time, at most one an
 * interval; the first goes at once. What is left rides in the turn's commit.
 */
export class LiveOutputWriter {
  readonly #options: LiveOutputOptions;
  #pending: PreparedOutput[] = [];
  #started = false;
  #writing: Promise<void> | null = null;
  #cancelTimer: CancelTimer | null = null;
  #ended = false;

  constructor(options: LiveOutputOptions) {
    this.#options = options;
  }

  /** Tells readers that the turn runs. The first piece of output does so too. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#push(turnEvents.started(this.#options.attempt));
  }

  emit(output: PreparedOutput): void {
    this.start();
    this.#push(output);
  }

  /**
   * Stops writing, and returns what is to be written with the turn's end: nothing if the turn had
   * no output.
   */
  async end(last: PreparedOutput): Promise<readonly PreparedOutput[]> {
    this.#ended = true;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    await this.#writing;
    return this.#started ? [...this.#pending.splice(0), last] : [];
  }

  #push(output: PreparedOutput): void {
    this.#pending.push(output);
    if (this.#writing === null && this.#cancelTimer === null) this.#write();
  }

  #write(): void {
    const { store, lease, clock, onError } = this.#options;
    const batch = this.#pending.splice(0);
    this.#writing = store
      .emit(lease(), batch)
      .catch(onError)
      .finally(() => {
        this.#writing = null;
        if (this.#ended) return;
        if (store.outputIntervalMs > 0) {
          this.#cancelTimer = clock.setTimer(store.outputIntervalMs, () => {
            this.#cancelTimer = null;
            if (this.#pending.length > 0) this.#write();
          });
        } else if (this.#pending.length > 0) this.#write();
      });
  }
}
