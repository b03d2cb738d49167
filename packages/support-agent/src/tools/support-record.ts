import type { JsonObject, Session } from 'holdfast';
import { z } from 'zod';

/** The numbers of one kind that a session remembers; the oldest go first. */
export const maxNumbers = 10;
export const maxNumberLength = 40;
/** The tickets that a session remembers; the oldest go first. */
export const maxTickets = 20;

export const escalationReasons = [
  'asked_for',
  'legal',
  'safety',
  'anger',
  'repeated_failure',
] as const;

export type EscalationReason = (typeof escalationReasons)[number];

const seq = z.int().min(1);

/** `T-` and 8 characters of Crockford's base 32, which has no letters that look like digits. */
export const ticketIdPattern = /^T-[0-9A-HJKMNP-TV-Z]{8}$/;

const ticketSchema = z.object({
  id: z.string().regex(ticketIdPattern),
  reason: z.enum(escalationReasons),
  /** The part of the transcript that it is about: from the first message to the last, by `seq`. */
  from_seq: seq,
  to_seq: seq,
  /** ISO 8601. */
  created_at: z.iso.datetime(),
});

/** A conversation's request for a person, named alike where it is stored, streamed and answered. */
export type Ticket = Readonly<z.infer<typeof ticketSchema>>;

/** What a customer has told about themselves. */
export interface CustomerFacts {
  readonly email: string | null;
  readonly phone: string | null;
  /** Oldest first, as `ticketNumbers`. */
  readonly orderNumbers: readonly string[];
  readonly ticketNumbers: readonly string[];
}

/** The agent's own corner of a session's metadata, `metadata.support`. */
export interface SupportRecord {
  readonly facts: CustomerFacts;
  /** Oldest first. */
  readonly tickets: readonly Ticket[];
}

const text = z.string().min(1).max(254).nullable().catch(null);
const numbers = listOf(z.string().min(1).max(maxNumberLength), maxNumbers);

const noFacts = { email: null, phone: null, order_numbers: [], ticket_numbers: [] };

const recordSchema = z
  .object({
    facts: z
      .object({ email: text, phone: text, order_numbers: numbers, ticket_numbers: numbers })
      .catch(noFacts),
    tickets: listOf(ticketSchema, maxTickets),
  })
  .catch({ facts: noFacts, tickets: [] });

/** What most conversations have: nothing there. */
const nothingKnown: SupportRecord = Object.freeze({
  facts: Object.freeze({ email: null, phone: null, orderNumbers: [], ticketNumbers: [] }),
  tickets: [],
});

/**
 * Reads the agent's corner. A customer may have opened the session with anything there: what does
 * not parse counts as absent.
 */
export function readSupport({ support }: JsonObject): SupportRecord {
  if (support === undefined) return nothingKnown;
  const { facts, tickets } = recordSchema.parse(support);
  const { email, phone, order_numbers: orderNumbers, ticket_numbers: ticketNumbers } = facts;
  return { facts: { email, phone, orderNumbers, ticketNumbers }, tickets };
}

/** The ticket with which a conversation waits for a person, until an operator takes `escalated` back. */
export function openTicket({
  escalated,
  metadata,
}: Pick<Session, 'escalated' | 'metadata'>): Ticket | null {
  return escalated ? (readSupport(metadata).tickets.at(-1) ?? null) : null;
}

/** The newest of a list's items that parse. */
function listOf<Item>(item: z.ZodType<Item>, most: number) {
  return z
    .array(z.unknown())
    .catch([])
    .transform((list) =>
      list
        .flatMap((value) => {
          const { success, data } = item.safeParse(value);
          return success ? [data] : [];
        })
        .slice(-most),
    );
}
