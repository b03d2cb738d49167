import type { Answer, PastMessage } from '../wire.ts';

/** A message written on this page, until the history has it with its answer. */
export interface Outgoing {
  /** Its idempotency key, the same in every retry. */
  readonly key: string;
  readonly text: string;
  readonly at: number | null;
  /** The last place in the history when it was first sent; `null` while that is not known. */
  readonly afterSeq: number | null;
  /** Its place in the history, once that is known. */
  readonly seq: number | null;
  /** The turn that answers it, once that is known. */
  readonly turnId: string | null;
  readonly delivery: 'sending' | 'failed' | 'sent';
  /** Its request has broken off; what became of it is asked elsewhere. */
  readonly interrupted: boolean;
  readonly reason: string;
  readonly answer: Answer | null;
}

export function outgoing(key: string, text: string, rest: Partial<Outgoing> = {}): Outgoing {
  return {
    key,
    text,
    at: null,
    afterSeq: null,
    seq: null,
    turnId: null,
    delivery: 'sending',
    interrupted: false,
    reason: '',
    answer: null,
    ...rest,
  };
}

/**
 * Where a history has the message: the first of its text behind what was known when it was sent. When
 * that was nothing, only an answered message can be told from an older one, and it is the last.
 */
export function placeOf(
  { text, afterSeq, seq, delivery }: Outgoing,
  history: readonly PastMessage[],
  isTaken: (seq: number) => boolean,
): number | null {
  if (seq !== null) return seq;
  const same = history.filter(
    (past) => past.role === 'user' && past.text === text && !isTaken(past.seq),
  );
  if (afterSeq !== null) return same.find((past) => past.seq > afterSeq)?.seq ?? null;
  const last = same.at(-1)?.seq ?? null;
  return delivery === 'sent' || last === null || answerTo(last, history) === null ? last : null;
}

/** What was answered before the customer spoke again; `null` when nothing was. */
export function answerTo(seq: number, history: readonly PastMessage[]): PastMessage | null {
  const next = history.find((past) => past.seq > seq && past.role !== 'operator');
  return next?.role === 'assistant' ? next : null;
}
