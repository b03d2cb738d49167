import {
  type DraftEntry,
  type Entry,
  message,
  notice,
  past,
  withEscalationsOnce,
} from './entries.ts';
import type { LiveTurn } from './live-turns.ts';
import type { Outgoing } from './outgoing.ts';
import type { Transcript } from './transcript.ts';
import { NOTICE } from './wording.ts';

export interface ViewOptions {
  /** What was under way when the page opened is known: a question without an answer has none. */
  readonly settled: boolean;
  /** A person answers, whenever that may be. */
  readonly leftToPerson: boolean;
  /** The messages before these could not be loaded. */
  readonly earlierFailed: boolean;
}

/** A transcript as the log shows it. */
export function entriesOf(transcript: Transcript, options: ViewOptions): Entry[] {
  const { outgoing, turns } = transcript;
  const placed = new Map(outgoing.map((item) => [item.seq, item]));
  const told = transcript.past.flatMap((row) => {
    const item = placed.get(row.seq);
    return item === undefined
      ? [past(row, transcript.nameOf(row.seq))]
      : written(item, turns.get(item.turnId));
  });
  const rest = outgoing.filter(({ seq }) => seq === null);
  const line = rest.findIndex(({ delivery }) => delivery === 'sending');
  const isNext = line === -1 ? rest.length : line;
  const show = (item: Outgoing) => written(item, turns.get(item.turnId));
  const shortened = options.earlierFailed ? NOTICE.notEarlier : NOTICE.shortened;
  const entries = withEscalationsOnce([
    ...(transcript.earlier === null ? [] : [notice(shortened, 'earlier')]),
    ...told,
    ...rest.slice(0, isNext).flatMap(show),
    ...transcript.unclaimed.filter((turn) => !transcript.isTold(turn)).flatMap(unclaimed),
    ...rest.slice(isNext).flatMap(show),
  ]);
  return [...entries, ...ending(transcript, entries, options)];
}

/** What a log ends with when it ends with a question. */
function ending(
  transcript: Transcript,
  entries: readonly Entry[],
  { settled, leftToPerson }: ViewOptions,
): Entry[] {
  if (entries.some((entry) => entry.kind === 'draft' && entry.stage !== 'cut')) return [];
  const waiting: Entry = { kind: 'draft', id: 'waiting', text: '', stage: 'waiting' };
  if (transcript.outgoing.some(({ delivery }) => delivery === 'sending')) return [waiting];
  const last = entries.at(-1);
  if (last?.kind !== 'message' || last.role !== 'user' || last.delivery !== 'sent') return [];
  if (leftToPerson) return [];
  return settled ? [notice(NOTICE.unanswered, 'reload')] : [waiting];
}

function written(item: Outgoing, turn: LiveTurn | undefined): Entry[] {
  const { key, text, at, delivery, reason, answer } = item;
  const entries: Entry[] = [message(key, 'user', { text, delivery, reason })];
  if (answer !== null) {
    if (answer.text !== '') entries.push(message(`${key}-answer`, 'assistant', { ...answer, at }));
  } else if (turn !== undefined) {
    const draft = draftOf(`${key}-draft`, turn);
    if (delivery === 'sending') entries.push(draft);
    else if (draft.text !== '') entries.push({ ...draft, stage: 'cut' });
  }
  return entries;
}

function unclaimed(turn: LiveTurn): Entry[] {
  const draft = draftOf(`turn-${turn.id}`, turn);
  if (turn.leftToPerson || turn.end === 'failed') return [];
  return draft.text === '' && turn.end !== null ? [] : [draft];
}

function draftOf(id: string, { text, looking, torn }: LiveTurn): DraftEntry {
  const shown = torn ? '' : text;
  const stage = looking ? 'looking' : shown === '' ? 'waiting' : 'writing';
  return { kind: 'draft', id, text: shown, stage };
}
