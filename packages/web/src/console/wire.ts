import {
  fields,
  readContent,
  readList,
  readNumber,
  readSources,
  readStatus,
  readString,
  readTicket,
  readTickets,
  readTime,
  type Source,
  type Status,
  type Ticket,
} from '../wire.ts';

/** What a customer has told about themselves, as the agent noted it. */
interface Facts {
  readonly email: string;
  readonly phone: string;
  readonly orders: readonly string[];
  readonly tickets: readonly string[];
}

export interface SessionRow {
  readonly id: string;
  /** Empty for a customer who is not signed in. */
  readonly userId: string;
  readonly status: Status;
  readonly escalated: boolean;
  /** The one with which it waits for a person. */
  readonly ticket: Ticket | null;
  readonly messageCount: number;
  readonly facts: Facts;
  /** Oldest first. */
  readonly tickets: readonly Ticket[];
  readonly createdAt: number | null;
  readonly lastActivity: number | null;
  readonly version: number;
}

export interface SessionPage {
  readonly sessions: readonly SessionRow[];
  /** The ids of those that belong on the page and cannot be read. */
  readonly unreadable: readonly string[];
  readonly next: string | null;
}

/** One line of a transcript: what was said, or what the assistant did in between. */
export type Line = SaidLine | StepLine;

export interface SaidLine {
  readonly kind: 'said';
  readonly seq: number;
  readonly at: number | null;
  readonly role: 'user' | 'assistant' | 'operator' | 'system';
  readonly text: string;
  readonly sources: readonly Source[];
  /** From 0 to 1; `null` when the answer names none. */
  readonly confidence: number | null;
  readonly answered: boolean;
  readonly ticket: Ticket | null;
}

export interface StepLine {
  readonly kind: 'step';
  readonly seq: number;
  readonly at: number | null;
  /** Its call and its result have the same. */
  readonly callId: string;
  /** The tool's name. */
  readonly name: string;
  /** JSON, laid out to be read; `null` for what another message has, or nobody has yet. */
  readonly input: string | null;
  readonly result: string | null;
}

export interface TranscriptPage {
  readonly lines: readonly Line[];
  /** Where the page before this one ends; `null` when there is none. */
  readonly before: number | null;
}

const strings = (value: unknown) => readList(value).filter((item) => typeof item === 'string');

function readFacts(metadata: unknown): Facts {
  const { email, phone, order_numbers, ticket_numbers } = fields(
    fields(fields(metadata).support).facts,
  );
  return {
    email: readString(email),
    phone: readString(phone),
    orders: strings(order_numbers),
    tickets: strings(ticket_numbers),
  };
}

/** A session as an operator sees it, or `null` when it is not one. */
export function readRow(body: unknown): SessionRow | null {
  const row = fields(body);
  const id = readString(row.session_id);
  if (id === '') return null;
  return {
    id,
    userId: readString(row.user_id),
    status: readStatus(row.status),
    escalated: row.escalated === true,
    ticket: readTicket(row.ticket),
    messageCount: readNumber(row.message_count) ?? 0,
    facts: readFacts(row.metadata),
    tickets: readTickets(row.metadata),
    createdAt: readTime(row.created_at),
    lastActivity: readTime(row.last_activity),
    version: readNumber(row.version) ?? 0,
  };
}

export function readPage(body: unknown): SessionPage | null {
  const { sessions, unreadable, next_cursor } = fields(body);
  if (!Array.isArray(sessions)) return null;
  return {
    sessions: sessions.flatMap((session) => readRow(session) ?? []),
    unreadable: strings(readList(unreadable).map((session) => fields(session).session_id)),
    next: readString(next_cursor) || null,
  };
}

export function readTranscript(body: unknown): TranscriptPage | null {
  const { messages, next_before } = fields(body);
  if (!Array.isArray(messages)) return null;
  return { lines: messages.flatMap(readLines), before: readNumber(next_before) };
}

function readLines(value: unknown): Line[] {
  const { seq, role, content, created_at } = fields(value);
  if (typeof seq !== 'number') return [];
  const place = { seq, at: readTime(created_at) };
  const parts = readContent(content);
  if (role === 'tool') {
    const { tool_call_id: callId, name, result } = parts;
    return [step(place, callId, name, null, shown(result))];
  }
  if (role !== 'user' && role !== 'assistant' && role !== 'operator' && role !== 'system')
    return [];
  const calls = readList(parts.tool_calls).map((call): Line => {
    const { id, name, input } = fields(call);
    return step(place, id, name, shown(input), null);
  });
  const text = readString(parts.text);
  if (text === '') return calls;
  const said: SaidLine = {
    kind: 'said',
    ...place,
    role,
    text,
    sources: readSources(parts.sources),
    confidence: readNumber(parts.confidence),
    answered: parts.answered !== false,
    ticket: readTicket(parts.ticket),
  };
  return [said, ...calls];
}

function step(
  place: { readonly seq: number; readonly at: number | null },
  callId: unknown,
  name: unknown,
  input: string | null,
  result: string | null,
): StepLine {
  const named = { callId: readString(callId), name: readString(name) };
  return { kind: 'step', ...place, ...named, input, result };
}

/** What the assistant did, each call in one line with its result. */
export function withResults(lines: readonly Line[]): Line[] {
  const steps = lines.filter((line) => line.kind === 'step');
  const calls = new Set(steps.flatMap(({ callId, input }) => (input === null ? [] : [callId])));
  const results = new Map(steps.map(({ callId, result }) => [callId, result]));
  return lines.flatMap((line): Line[] => {
    if (line.kind === 'said') return [line];
    if (line.input === null) return calls.has(line.callId) ? [] : [line];
    return [{ ...line, result: results.get(line.callId) ?? null }];
  });
}

function shown(value: unknown): string {
  return JSON.stringify(value, null, 2) ?? '';
}
