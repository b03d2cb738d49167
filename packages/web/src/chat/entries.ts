import type { Answer, PastMessage, Role } from '../wire.ts';

/** A line of the log: something said, an answer while it is written, or a notice from the page itself. */
export type Entry = MessageEntry | DraftEntry | NoticeEntry;

export interface MessageEntry extends Answer {
  readonly kind: 'message';
  /** For a message written on this page, also its idempotency key: it stays the same in every retry. */
  readonly id: string;
  readonly role: Role;
  /** Milliseconds since the epoch; `null` when it is not known. */
  readonly at: number | null;
  readonly delivery: 'sent' | 'sending' | 'failed';
  /** Why delivery failed, in the customer's words; empty otherwise. */
  readonly reason: string;
}

export interface DraftEntry {
  readonly kind: 'draft';
  readonly id: string;
  /** Empty before the first piece. */
  readonly text: string;
  /** `cut`: nothing more comes of it. */
  readonly stage: 'waiting' | 'looking' | 'writing' | 'cut';
}

export interface NoticeEntry {
  readonly kind: 'notice';
  readonly id: string;
  readonly text: string;
  /** What the customer can do about it. */
  readonly action: 'reload' | 'earlier' | null;
}

const UNSAID = { text: '', sources: [], escalated: false, ticket: null } as const;

export function message(id: string, role: Role, rest: Partial<MessageEntry>): MessageEntry {
  return { kind: 'message', ...UNSAID, at: null, delivery: 'sent', reason: '', ...rest, id, role };
}

/** One notice of a text is enough in a log, so the text is the identity. */
export function notice(text: string, action: NoticeEntry['action'] = null): NoticeEntry {
  return { kind: 'notice', id: text, text, action };
}

export function past({ seq, role, ...rest }: PastMessage, id = `seq-${seq}`): MessageEntry {
  return message(id, role, rest);
}

/** That a conversation was passed on is told once, and again only with another ticket. */
export function withEscalationsOnce(entries: readonly Entry[]): Entry[] {
  const told = new Set<string>();
  return entries.map((entry) => {
    if (entry.kind !== 'message' || !(entry.escalated || entry.ticket !== null)) return entry;
    const news = entry.ticket === null ? told.size === 0 : !told.has(entry.ticket.id);
    told.add(entry.ticket?.id ?? '');
    return news ? entry : { ...entry, escalated: false, ticket: null };
  });
}
