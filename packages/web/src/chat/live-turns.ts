import type { AnswerDetails, TurnEvent } from '../wire.ts';

/** A turn as far as its live output has come. */
export interface LiveTurn {
  readonly id: string;
  /** By the server's clock; `null` when it was not told. */
  readonly startedAt: number | null;
  /** By this page's clock, when it was last heard of. */
  readonly heardAt: number;
  readonly lastSeq: number;
  readonly text: string;
  /** A tool runs, such as a search of the articles. */
  readonly looking: boolean;
  /** Some of its output is lost, so its text is not worth showing before it is whole. */
  readonly torn: boolean;
  readonly details: AnswerDetails | null;
  readonly leftToPerson: boolean;
  readonly end: 'completed' | 'failed' | null;
}

/**
 * The turns whose output arrives, each from its beginning. It may arrive twice, by the message's own
 * reply and by the session's stream: within a turn, what is not behind the last piece is passed over.
 */
export class LiveTurns {
  readonly #turns = new Map<string, LiveTurn>();
  /** Those that are told already; what still arrives of them is old. */
  readonly #done = new Set<string>();

  /** The turn as it is now; `null` when the event says nothing new. */
  apply(event: TurnEvent, now: number): LiveTurn | null {
    const known = this.#turns.get(event.turnId);
    if (this.#done.has(event.turnId)) return null;
    if (known !== undefined && (event.seq <= known.lastSeq || known.end !== null)) return null;
    const before = known ?? blank(event);
    const turn = { ...step(before, event), lastSeq: event.seq, heardAt: now };
    this.#turns.set(turn.id, turn);
    return turn;
  }

  get(id: string | null): LiveTurn | undefined {
    return id === null ? undefined : this.#turns.get(id);
  }

  get all(): LiveTurn[] {
    return [...this.#turns.values()];
  }

  get running(): LiveTurn[] {
    return this.all.filter(({ end }) => end === null);
  }

  finish(id: string | null): void {
    if (id === null) return;
    this.#turns.delete(id);
    this.#done.add(id);
  }
}

function blank({ turnId, at }: TurnEvent): LiveTurn {
  return {
    id: turnId,
    startedAt: at,
    heardAt: 0,
    lastSeq: 0,
    text: '',
    looking: false,
    torn: false,
    details: null,
    leftToPerson: false,
    end: null,
  };
}

function step(turn: LiveTurn, { part }: TurnEvent): LiveTurn {
  switch (part.type) {
    case 'text':
      return { ...turn, text: turn.text + part.text, looking: false };
    case 'tool':
      return { ...turn, looking: true };
    case 'answer':
      return { ...turn, details: part.details, looking: false };
    case 'left_to_person':
      return { ...turn, leftToPerson: true, looking: false };
    case 'gap':
      return { ...turn, torn: true };
    case 'completed':
    case 'failed':
      return { ...turn, end: part.type, looking: false };
    default:
      return turn;
  }
}
