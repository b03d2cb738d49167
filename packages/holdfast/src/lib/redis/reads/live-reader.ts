import { type HoldfastError, StoreUnavailableError } from '../../errors/errors.ts';
import { assertId } from '../../model/ids.ts';
import type { TurnEvent } from '../../model/turn-event.ts';
import { assertAfter } from '../../store/assert-after.ts';
import type { Ending } from '../../store/ending.ts';
import { onAbort } from '../../store/on-abort.ts';
import type { SubscribeOptions } from '../../store/session-store.ts';
import { bytes, int, text } from '../connection/reply.ts';
import type { RedisCore } from '../core/redis-core.ts';
import { gone, notFound } from '../core/refusals.ts';
import { none } from '../layout/header.ts';
import { scripts } from '../scripts/scripts.ts';
import { closable } from './closable.ts';
import { SharedLooks } from './shared-looks.ts';

const liveKeys = 7;
const callBytes = 256 * 1024;

/** Live output as far as it is there. */
interface Output {
  readonly incarnation: string;
  readonly newest: number;
  /** How long its producer still has its lease; `null` when none is open. */
  readonly openMs: number | null;
  readonly events: readonly TurnEvent[];
}

/**
 * Reads live output, wherever it is produced. A message says that there is more; what it is, is read
 * from where the reader stands, so that a slow one costs its place and nothing else. Readers of one
 * session that stand at the same place share what is read, and its events.
 */
export class LiveReader<Metadata extends object> {
  readonly #core: RedisCore<Metadata>;
  readonly #readers = new Set<Alarm>();
  readonly #looks = new SharedLooks<Output | null>();
  #closed: HoldfastError | null = null;

  constructor(core: RedisCore<Metadata>) {
    this.#core = core;
  }

  subscribe(id: string, options: SubscribeOptions): AsyncIterableIterator<TurnEvent> {
    return closable(
      (closed) => this.#read(id, options, closed),
      (close) => onAbort(options.signal, close),
    );
  }

  /** Messages may have been missed. */
  readonly lookAgain = (): void => {
    this.#looks.heard();
    for (const alarm of this.#readers) alarm.ring();
  };

  close(error: HoldfastError): void {
    this.#closed = error;
    this.lookAgain();
  }

  async *#read(
    id: string,
    { after, incarnation, onReady }: SubscribeOptions,
    closed: Ending,
  ): AsyncGenerator<TurnEvent> {
    assertAfter(after);
    assertId(id, 'A session id');
    if (this.#closed !== null) throw this.#closed;
    const { link, known, options } = this.#core;
    const alarm = new Alarm();
    const stop = () => {
      this.#looks.heard();
      alarm.ring();
    };
    let unsubscribe = () => {};
    const unlisten = closed.onEnd(stop);
    // It hears of its session's end also where messages are lost in silence.
    const unwatch = known.news.watch(id, stop);
    try {
      // First the subscription, then the first look: nothing is missed between them.
      unsubscribe = await link.subscribe(known.of(id).keys[3], stop);
      this.#readers.add(alarm);
      if (closed.ended !== null) return;
      let output = await this.#fetch(id, after, incarnation);
      if (output === null) throw incarnation === undefined ? notFound(id) : gone(id);
      const own = output.incarnation;
      let cursor = after === undefined ? output.newest : after > output.newest ? 0 : after;
      onReady?.();
      while (closed.ended === null) {
        for (const event of output.events) {
          if (event.seq <= cursor) continue;
          if (event.seq > cursor + 1) yield gapBefore(event);
          cursor = event.seq;
          yield event;
          if (closed.ended !== null) return;
        }
        if (output.events.length === 0 && cursor < output.newest) {
          const place = { seq: output.newest + 1, turnId: '', createdAt: options.clock.now() };
          yield gapBefore({ ...place, type: '' });
          cursor = output.newest;
        }
        if (cursor >= output.newest) {
          const cancel =
            output.openMs === null
              ? () => {}
              : options.clock.setTimer(output.openMs + 1, stop, { background: true });
          await alarm.rung();
          cancel();
        }
        if (closed.ended !== null || this.#closed !== null) return;
        const from = cursor;
        const next = await this.#looks.at(`${id} ${own} ${from}`, () => this.#fetch(id, from, own));
        if (next === null) return;
        output = next;
      }
    } catch (error) {
      // What a reader was about to learn when its store was closed is no failure of the reading.
      const isCut = this.#closed !== null && error instanceof StoreUnavailableError;
      if (!isCut) throw error;
    } finally {
      unlisten();
      unwatch();
      this.#readers.delete(alarm);
      unsubscribe();
    }
  }

  /** `null` when there is no such session, or not that one any more. */
  async #fetch(
    id: string,
    after: number | undefined,
    incarnation: string | undefined,
  ): Promise<Output | null> {
    const from = [incarnation ?? none, String(after ?? none), String(callBytes)];
    const args = [...this.#core.calls.common(id), ...from];
    const { reply } = await this.#core.calls.run(scripts.live, id, liveKeys, args);
    if (text(reply[0]) !== 'events') return null;
    const place = { sessionId: id, incarnation: text(reply[1]) };
    const open = int(reply[3]);
    return {
      incarnation: place.incarnation,
      newest: int(reply[2]),
      openMs: open < 0 ? null : open,
      events: reply.slice(4).flatMap((piece) => this.#core.records.readOutput(bytes(piece), place)),
    };
  }
}

/** Rings until somebody has heard it. */
class Alarm {
  #ringing = false;
  #hear: (() => void) | null = null;

  ring(): void {
    this.#ringing = true;
    this.#hear?.();
    this.#hear = null;
  }

  async rung(): Promise<void> {
    if (!this.#ringing) {
      await new Promise<void>((resolve) => {
        this.#hear = resolve;
      });
    }
    this.#ringing = false;
  }
}

function gapBefore({ seq, turnId, createdAt }: TurnEvent): TurnEvent {
  return Object.freeze({ seq: seq - 1, turnId, createdAt, type: 'turn.gap' });
}
