import type { PastMessage, Role, Source } from './wire.ts';

/** A line of the log: something said, or a notice from the page itself. */
export type Entry = MessageEntry | NoticeEntry;

export interface MessageEntry {
  kind: 'message';
  /** For a message written on this page, also its idempotency key: it stays the same in every retry. */
  id: string;
  role: Role;
  text: string;
  sources: Source[];
  escalated: boolean;
  delivery: 'sent' | 'sending' | 'failed';
  /** Why delivery failed, in the customer's words; empty otherwise. */
  reason: string;
}

export interface NoticeEntry {
  kind: 'notice';
  id: string;
  text: string;
  /** The log is not complete, and loading it again may help. */
  incomplete: boolean;
}

export function message(id: string, role: Role, rest: Partial<MessageEntry>): MessageEntry {
  const blank = { text: '', sources: [], escalated: false, delivery: 'sent', reason: '' } as const;
  return { kind: 'message', ...blank, sources: [], ...rest, id, role };
}

/** One notice of a text is enough in a log, so the text is the identity. */
export function notice(text: string, incomplete = false): NoticeEntry {
  return { kind: 'notice', id: text, text, incomplete };
}

export function past({ seq, role, text, sources, escalated }: PastMessage): MessageEntry {
  return message(`seq-${seq}`, role, { text, sources, escalated });
}

export function isUnsent(entry: Entry): boolean {
  return entry.kind === 'message' && entry.delivery !== 'sent';
}

export function isIncomplete(entry: Entry): boolean {
  return entry.kind === 'notice' && entry.incomplete;
}

export function patch(entries: Entry[], id: string, change: Partial<MessageEntry>): Entry[] {
  return entries.map((entry) =>
    entry.kind === 'message' && entry.id === id ? { ...entry, ...change } : entry,
  );
}

/** Puts `added` right before or after the entry `id`; an entry of the same id moves there. */
export function place(
  entries: Entry[],
  where: 'before' | 'after',
  id: string,
  added: Entry,
): Entry[] {
  return entries
    .filter((entry) => entry.id !== added.id)
    .flatMap((entry) => {
      if (entry.id !== id) return [entry];
      return where === 'before' ? [added, entry] : [entry, added];
    });
}
