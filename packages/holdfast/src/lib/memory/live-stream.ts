import { type JsonValue, jsonBytes } from '../json/json-value.ts';
import { maxLiveBytes, maxLiveEvents } from '../model/limits.ts';
import { endsTurn, type PreparedOutput, type TurnEvent, turnEvents } from '../model/turn-event.ts';
import type { Sealer } from './sealer.ts';

/** Older output than this goes when the next turn's begins; until then it waits for readers that come back. */
const replayMs = 60_000;

/**
 * The live output of a session: the newest events, for any number of readers, each with a cursor of
 * its own. A slow reader costs its cursor; when it falls behind what is kept it is told of the gap.
 */
export class LiveStream {
  readonly #sealer: Sealer | null;
  #events: (TurnEvent | SealedEvent)[] = [];
  #bytes = 0;
  #sizes: number[] = [];
  #lastSeq = 0;
  #openTurn: string | null = null;
  #ended = false;
  readonly #waiting = new Set<() => void>();

  constructor(sealer: Sealer | null = null) {
    this.#sealer = sealer;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Whether nothing more will come. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Whether somebody waits for more. */
  get hasReaders(): boolean {
    return this.#waiting.size > 0;
  }

  append(turnId: string, output: readonly PreparedOutput[], now: number): void {
    for (const piece of output) {
      if (piece.type === 'turn.started') this.#dropOld(now);
      this.#lastSeq += 1;
      const seq = this.#lastSeq;
      // The piece last: V8 takes many times as long to add fields behind a spread.
      const event: TurnEvent = Object.freeze({ seq, turnId, createdAt: now, ...piece });
      const size = jsonBytes(event);
      this.#events.push(this.#sealer === null ? event : sealed(event, this.#sealer));
      this.#sizes.push(size);
      this.#bytes += size;
      this.#openTurn = endsTurn(event) ? null : turnId;
    }
    this.#dropExcess();
    this.#wake();
  }

  /** Ends the output of a turn that can't end it itself: its process died, or it was taken over. */
  failOpenTurn(turnId: string, code: string, now: number): void {
    if (this.#openTurn === turnId) this.append(turnId, [turnEvents.failed(code)], now);
  }

  /** The event behind `cursor`, if there is one yet. */
  next(cursor: number): TurnEvent | null {
    if (cursor >= this.#lastSeq) return null;
    const firstSeq = this.#lastSeq - this.#events.length + 1;
    const event = this.#events[Math.max(cursor + 1 - firstSeq, 0)] ?? null;
    if (event === null || event.seq === cursor + 1) return event && this.#opened(event);
    return Object.freeze({
      seq: event.seq - 1,
      turnId: event.turnId,
      createdAt: event.createdAt,
      type: 'turn.gap',
    });
  }

  /** Where a reader begins that has seen `after`; one of an earlier session begins at the start. */
  cursorFor(after: number | undefined): number {
    if (after === undefined) return this.#lastSeq;
    return after > this.#lastSeq ? 0 : after;
  }

  /** Ends all reading: the session is no more. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Calls back once when there is more to read, or the stream ends; returns the way to stop waiting. */
  onMore(callback: () => void): () => void {
    this.#waiting.add(callback);
    return () => this.#waiting.delete(callback);
  }

  #opened(event: TurnEvent | SealedEvent): TurnEvent {
    if (this.#sealer === null) return event as TurnEvent;
    const kept = event as SealedEvent;
    const known = kept.opened?.deref();
    if (known !== undefined) return known;
    const { sealed, seq, turnId, createdAt } = kept;
    const output = this.#sealer.open(sealed, 'output', seq) as unknown as PreparedOutput;
    const opened: TurnEvent = Object.freeze({ seq, turnId, createdAt, ...output });
    kept.opened = new WeakRef(opened);
    return opened;
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  #dropOld(now: number): void {
    let count = 0;
    while ((this.#events[count]?.createdAt ?? now) < now - replayMs) count += 1;
    this.#drop(count);
  }

  #dropExcess(): void {
    if (this.#events.length <= maxLiveEvents && this.#bytes <= maxLiveBytes) return;
    // Down to three quarters at once, so that a long output is not copied for every piece.
    let count = 0;
    let bytes = this.#bytes;
    while (
      this.#events.length - count > 1 &&
      (this.#events.length - count > (maxLiveEvents * 3) / 4 || bytes > (maxLiveBytes * 3) / 4)
    ) {
      bytes -= this.#sizes[count] ?? 0;
      count += 1;
    }
    this.#drop(count);
  }

  #drop(count: number): void {
    if (count === 0) return;
    for (const size of this.#sizes.slice(0, count)) this.#bytes -= size;
    this.#events = this.#events.slice(count);
    this.#sizes = this.#sizes.slice(count);
  }
}

/** An event whose output is kept through a codec. */
type SealedEvent = Pick<TurnEvent, 'seq' | 'turnId' | 'createdAt'> & {
  readonly sealed: Buffer;
  /** For its other readers, as long as one has it: readers that go together open it once. */
  opened: WeakRef<TurnEvent> | null;
};

function sealed({ seq, turnId, createdAt, ...output }: TurnEvent, sealer: Sealer): SealedEvent {
  const bytes = sealer.seal(output as JsonValue, 'output', seq);
  return { seq, turnId, createdAt, sealed: bytes, opened: null };
}
