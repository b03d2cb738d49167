/** Reads the server's JSON. Nothing is believed unread: what does not fit becomes `null` or is left out. */

export type Role = 'user' | 'assistant' | 'operator';

export interface Source {
  readonly title: string;
  /** The part of the article; empty when the whole of it is meant. */
  readonly heading: string;
  /** An http(s) address or a path of this site; empty when the source cannot be opened. */
  readonly url: string;
}

/** What a person of the shop finds the conversation by. */
export interface Ticket {
  readonly id: string;
  readonly reason: string;
}

/** What an answer says besides its text. */
export interface AnswerDetails {
  readonly sources: readonly Source[];
  readonly escalated: boolean;
  readonly ticket: Ticket | null;
}

export interface Answer extends AnswerDetails {
  /** Empty when nothing was answered, as when a person has taken over. */
  readonly text: string;
}

export interface PastMessage extends Answer {
  readonly seq: number;
  readonly role: Role;
  /** Milliseconds since the epoch, by the server's clock; `null` when it was not told. */
  readonly at: number | null;
}

export interface History {
  /** What a customer sees, oldest first: no system or tool messages. */
  readonly messages: readonly PastMessage[];
  /** Where the page before this one ends; `null` when there is none. */
  readonly before: number | null;
}

export type Status = 'active' | 'handed_over' | 'closed';

export interface SessionInfo {
  readonly status: Status;
  readonly escalated: boolean;
  /** The newest one. */
  readonly ticket: Ticket | null;
  /** Changes with whatever changes in the session. */
  readonly version: number;
}

/** One piece of a turn's live output. */
export interface TurnEvent {
  readonly seq: number;
  readonly turnId: string;
  readonly at: number | null;
  readonly part: TurnPart;
}

type TurnPart =
  | { readonly type: 'started' | 'tool' | 'left_to_person' | 'completed' | 'failed' | 'gap' }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'answer'; readonly details: AnswerDetails }
  | { readonly type: 'unknown' };

export type Fields = Readonly<Record<string, unknown>>;

export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

export function readString(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function readNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

export function readList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** An ISO 8601 time as milliseconds since the epoch. */
export function readTime(value: unknown): number | null {
  return readNumber(Date.parse(readString(value)));
}

/** A link is shown only where it can lead nowhere but to a web page. */
function readUrl(value: unknown): string {
  const url = readString(value);
  return /^(https?:\/\/|\/(?![/\\]))/i.test(url) ? url : '';
}

export function readSources(value: unknown): Source[] {
  const seen = new Set<string>();
  return readList(value).flatMap((item): Source[] => {
    const { title, heading, url } = fields(item);
    const source = {
      title: readString(title),
      heading: readString(heading),
      url: readUrl(url),
    };
    const label = `${source.title}\n${source.heading}`;
    if (source.title === '' || seen.has(label)) return [];
    seen.add(label);
    return [{ ...source, heading: source.heading === source.title ? '' : source.heading }];
  });
}

export function readTicket(value: unknown): Ticket | null {
  const { id, reason } = fields(value);
  return readString(id) === '' ? null : { id: readString(id), reason: readString(reason) };
}

function readDetails({ sources, requires_escalation, ticket }: Fields): AnswerDetails {
  return {
    sources: readSources(sources),
    escalated: requires_escalation === true,
    ticket: readTicket(ticket),
  };
}

/** The reply to a message, or `null` when it is not one. */
export function readAnswer(body: unknown): Answer | null {
  const { message, metadata, ...rest } = fields(body);
  if (typeof message !== 'string') return null;
  return { text: message, ...readDetails({ ...rest, ticket: fields(metadata).ticket }) };
}

/** What somebody said: text by itself, or with what belongs to it. */
export function readContent(content: unknown): Fields {
  return typeof content === 'string' ? { text: content } : fields(content);
}

function readPastMessage(value: unknown): PastMessage[] {
  const { seq, role, content, created_at } = fields(value);
  if (role !== 'user' && role !== 'assistant' && role !== 'operator') return [];
  const parts = readContent(content);
  const text = readString(parts.text);
  if (typeof seq !== 'number' || text === '') return [];
  return [{ seq, role, text, at: readTime(created_at), ...readDetails(parts) }];
}

/** A page of a history, or `null` when it is not one. */
export function readHistory(body: unknown): History | null {
  const { messages, next_before } = fields(body);
  if (!Array.isArray(messages)) return null;
  return { messages: messages.flatMap(readPastMessage), before: readNumber(next_before) };
}

export function readStatus(value: unknown): Status {
  return value === 'handed_over' || value === 'closed' ? value : 'active';
}

/** The tickets that the agent has noted in a session's metadata, oldest first. */
export function readTickets(metadata: unknown): Ticket[] {
  const { support } = fields(metadata);
  return readList(fields(support).tickets).flatMap((ticket) => readTicket(ticket) ?? []);
}

/** What the page needs of a session, or `null` when it is not one. */
export function readSession(body: unknown): SessionInfo | null {
  const { session_id, status, escalated, metadata, version } = fields(body);
  if (readString(session_id) === '') return null;
  return {
    status: readStatus(status),
    escalated: escalated === true,
    ticket: readTickets(metadata).at(-1) ?? null,
    version: readNumber(version) ?? 0,
  };
}

/** A live event of a turn, or `null` for what is none. */
export function readTurnEvent(body: unknown): TurnEvent | null {
  const { seq, turn_id, created_at, ...rest } = fields(body);
  if (typeof seq !== 'number' || typeof turn_id !== 'string') return null;
  return { seq, turnId: turn_id, at: readTime(created_at), part: readPart(rest) };
}

function readPart({ type, text, ...rest }: Fields): TurnPart {
  switch (type) {
    case 'text':
      return { type, text: readString(text) };
    case 'answer':
      return { type, details: readDetails(rest) };
    case 'tool':
    case 'left_to_person':
      return { type };
    case 'turn.started':
      return { type: 'started' };
    case 'turn.completed':
      return { type: 'completed' };
    case 'turn.failed':
      return { type: 'failed' };
    case 'turn.gap':
      return { type: 'gap' };
    default:
      return { type: 'unknown' };
  }
}
