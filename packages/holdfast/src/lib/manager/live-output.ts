import type { CancelTimer, Clock } from '../clock.ts';
import { OutcomeUnknownError, StoreUnavailableError } from '../errors/errors.ts';
import { randomId } from '../model/ids.ts';
import { type PreparedOutput, turnEvents } from '../model/turn-event.ts';
import type { Lease, TurnStore } from '../store/turn-store.ts';

export interface LiveOutputOptions {
  readonly store: Pick<TurnStore, 'emit' | 'outputIntervalMs'>;
  readonly lease: () => Lease;
  readonly attempt: number;
  readonly clock: Clock;
  /** The store refused the turn's output: the turn must end. */
  readonly onRefused: (error: unknown) => void;
}

/** For the write of live output that is under way when the turn ends. */
const patienceMs = 500;

/** Pieces that are written together, under one nonce however often they are sent. */
interface Batch {
  readonly nonce: string;
  readonly output: readonly PreparedOutput[];
  mayBeWritten: boolean;
}

/**
 * The live output of one turn: pieces are written in order, one write at a time, at most one an
 * interval; the first goes at once. What is left rides in the turn's commit. A write that fails for
 * a while is sent again with the next one: live output is no reason to lose an answer.
 */
export class LiveOutputWriter {
  readonly #options: LiveOutputOptions;
  #pending: PreparedOutput[] = [];
  #unsent: Batch | null = null;
  #started = false;
  #written = false;
  #writing: Promise<void> | null = null;
  #cancelTimer: CancelTimer | null = null;
  #ended = false;

  constructor(options: LiveOutputOptions) {
    this.#options = options;
  }

  /** Whether there has been any output. */
  get started(): boolean {
    return this.#started;
  }

  /** Whether any of it may have reached its readers. */
  get written(): boolean {
    return this.#written;
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
   * Stops writing, and returns what is to be written with the turn's end.
   */
  async end(last: PreparedOutput): Promise<readonly PreparedOutput[]> {
    this.#ended = true;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    await this.#settled();
    // Under its own nonce it is written once; with the turn's end it could be a second time.
    if (this.#unsent?.mayBeWritten) await this.#send(this.#unsent);
    const unsent = this.#unsent?.mayBeWritten ? [] : (this.#unsent?.output ?? []);
    this.#unsent = null;
    return [...unsent, ...this.#pending.splice(0), last];
  }

  /**
   * Writes what there is with `write`, a checkpoint, which it would otherwise come after. What is
   * emitted meanwhile comes behind it.
   */
  async writeWith<Result>(
    write: (output: readonly PreparedOutput[]) => Promise<Result>,
  ): Promise<Result> {
    while (this.#writing !== null) await this.#writing;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    // What may have been written already is repeated under its own nonce.
    const output = this.#unsent === null ? this.#pending.splice(0) : [];
    const written = write(output);
    this.#writing = written.then(
      () => this.ended(output),
      (error) => {
        // Its nonce is the checkpoint's: in another write it could be there a second time.
        if (error instanceof OutcomeUnknownError) this.ended(output);
        else this.#pending.unshift(...output);
      },
    );
    try {
      return await written;
    } finally {
      this.#writing = null;
      if (!this.#ended) this.#goOn();
    }
  }

  /** What `end` returned was written with the turn's end. */
  ended(output: readonly PreparedOutput[]): void {
    if (output.length > 0) this.#written = true;
  }

  /**
   * The write under way has ended, or takes so long that the turn's end does not wait for it: what it
   * brings is written once, before the end or not at all.
   */
  async #settled(): Promise<void> {
    if (this.#writing === null) return;
    let cancel: CancelTimer = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#options.clock.setTimer(patienceMs, resolve);
    });
    await Promise.race([this.#writing, late]);
    cancel();
  }

  #push(output: PreparedOutput): void {
    this.#pending.push(output);
    if (this.#writing === null && this.#cancelTimer === null) this.#write();
  }

  #write(): void {
    this.#writing = this.#send(this.#unsent ?? this.#nextBatch()).then(() => {
      this.#writing = null;
      if (!this.#ended) this.#goOn();
    });
  }

  #nextBatch(): Batch {
    return { nonce: randomId(), output: this.#pending.splice(0), mayBeWritten: false };
  }

  /** Never rejects, nor throws: also a driver that throws at once has refused the output. */
  async #send(batch: Batch): Promise<void> {
    const { store, lease } = this.#options;
    try {
      await store.emit(lease(), batch.output, batch.nonce);
      this.#unsent = null;
      this.#written = true;
    } catch (error) {
      this.#failed(batch, error);
    }
  }

  #failed(batch: Batch, error: unknown): void {
    batch.mayBeWritten ||= error instanceof OutcomeUnknownError;
    this.#written ||= batch.mayBeWritten;
    if (error instanceof StoreUnavailableError || error instanceof OutcomeUnknownError) {
      this.#unsent = batch;
    } else this.#options.onRefused(error);
  }

  #goOn(): void {
    const { store, clock } = this.#options;
    if (store.outputIntervalMs > 0) {
      this.#cancelTimer = clock.setTimer(store.outputIntervalMs, () => {
        this.#cancelTimer = null;
        if (this.#unsent !== null || this.#pending.length > 0) this.#write();
      });
    } else if (this.#pending.length > 0) this.#write();
  }
}
