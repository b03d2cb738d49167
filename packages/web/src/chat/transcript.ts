import type { Answer, History, PastMessage, TurnEvent } from '../wire.ts';
import { type LiveTurn, LiveTurns } from './live-turns.ts';
import { answerTo, type Outgoing, placeOf } from './outgoing.ts';

/**
 * What is known of one session: its history, what was written here and is not in it yet, and turns
 * under way. Each arrives on its own, in any order and more than once; nothing is shown twice.
 */
export class Transcript {
  #past: readonly PastMessage[] = [];
  #outgoing: readonly Outgoing[] = [];
  #turns = new LiveTurns();
  /** The names under which messages were shown before the history had them. */
  readonly #names = new Map<number, string>();
  /** Where the page before the oldest message known ends; `null` when there is none. */
  earlier: number | null = null;
  /** The history has been read, so that what comes behind it can be told from what is old. */
  known = false;

  get past(): readonly PastMessage[] {
    return this.#past;
  }

  get outgoing(): readonly Outgoing[] {
    return this.#outgoing;
  }

  get turns(): LiveTurns {
    return this.#turns;
  }

  get lastSeq(): number {
    return this.#past.at(-1)?.seq ?? 0;
  }

  nameOf(seq: number): string | undefined {
    return this.#names.get(seq);
  }

  /**
   * Adds what is new of a page of the history; only adds, so an old reply does no harm. Where messages
   * are missing between what is known and a newer page, it begins anew with that page.
   */
  merge({ messages, before }: History): void {
    if (this.known && before !== null && before > this.lastSeq + 1) {
      this.#past = [];
      this.known = false;
    }
    const oldest = this.#past[0]?.seq ?? Number.POSITIVE_INFINITY;
    const seqs = new Set(this.#past.map(({ seq }) => seq));
    this.#past = [...this.#past, ...messages.filter(({ seq }) => !seqs.has(seq))].sort(
      (a, b) => a.seq - b.seq,
    );
    if (!this.known || before === null || before < oldest) this.earlier = before;
    this.known = true;
    this.#settle();
  }

  add(item: Outgoing): void {
    this.#outgoing = [...this.#outgoing.filter(({ key }) => key !== item.key), item];
  }

  item(key: string): Outgoing | undefined {
    return this.#outgoing.find((item) => item.key === key);
  }

  change(key: string, change: Partial<Outgoing>): void {
    this.#outgoing = this.#outgoing.map((item) =>
      item.key === key ? { ...item, ...change } : item,
    );
  }

  /** The message goes out: from here on the history may have it. */
  depart(key: string): void {
    const { seq = null, afterSeq = null } = this.item(key) ?? {};
    if (seq !== null || afterSeq !== null || !this.known) return;
    this.change(key, { afterSeq: this.lastSeq });
  }

  answered(key: string, answer: Answer, at: number): void {
    const item = this.item(key);
    if (item === undefined) return;
    this.#turns.finish(item.turnId);
    const sent = { delivery: 'sent', interrupted: false, reason: '', answer, at } as const;
    this.change(key, sent);
    // What is in the history already takes its answer from there.
    if (item.seq !== null) this.#place({ ...item, ...sent });
  }

  /** The turn as it is now, or `null` when the event says nothing new. */
  hear(event: TurnEvent, now: number): LiveTurn | null {
    return this.#turns.apply(event, now);
  }

  /** Takes turns away that have ended and that the history tells of by now. */
  finishTurns(ids: readonly string[]): void {
    for (const id of ids) this.#turns.finish(id);
  }

  /** The history already has what this turn said. */
  isTold(turn: LiveTurn): boolean {
    const { startedAt } = turn;
    return (
      startedAt !== null &&
      this.#past.some(({ role, at }) => role === 'assistant' && at !== null && at > startedAt)
    );
  }

  /** Turns that answer no message of this page, as far as that is known. */
  get unclaimed(): LiveTurn[] {
    const claimed = new Set(this.#outgoing.map(({ turnId }) => turnId));
    return this.#turns.all.filter(({ id }) => !claimed.has(id));
  }

  #settle(): void {
    for (const item of this.#outgoing) this.#place(item);
  }

  #place(item: Outgoing): void {
    const seq = placeOf(item, this.#past, (taken) => this.#names.has(taken));
    if (seq === null) return;
    this.#names.set(seq, item.key);
    const answer = answerTo(seq, this.#past);
    if (answer !== null) this.#names.set(answer.seq, `${item.key}-answer`);
    if (answer === null && item.answer?.text !== '') {
      this.change(item.key, { seq });
      return;
    }
    this.#turns.finish(item.turnId);
    this.#outgoing = this.#outgoing.filter(({ key }) => key !== item.key);
  }
}
