/** Reads the server's JSON. Nothing is believed unread: what does not fit becomes `null` or is left out. */

export type Role = 'user' | 'assistant' | 'operator';

export interface Source {
  title: string;
  /** The part of the article; empty when the whole of it is meant. */
  heading: string;
  /** An http(s) address or a path of this site; empty when the source cannot be opened. */
  url: string;
}

export interface Answer {
  /** Empty when nothing was answered, as when a person has taken over. */
  text: string;
  sources: Source[];
  escalated: boolean;
}

export interface PastMessage extends Answer {
  seq: number;
  role: Role;
}

type Fields = Record<string, unknown>;

export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

export function readString(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A link is shown only where it can lead nowhere but to a web page. */
function readUrl(value: unknown): string {
  const url = readString(value);
  return /^(https?:\/\/|\/(?![/\\]))/i.test(url) ? url : '';
}

function readSources(value: unknown): Source[] {
  if (!Array.isArray(value)) return [];
  const seen = new Set<string>();
  return value.flatMap((item): Source[] => {
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

/** The reply to a message, or `null` when it is not one. */
export function readAnswer(body: unknown): Answer | null {
  const { message, sources, requires_escalation } = fields(body);
  if (typeof message !== 'string') return null;
  return { text: message, sources: readSources(sources), escalated: requires_escalation === true };
}

function readPastMessage(value: unknown): PastMessage[] {
  const { seq, role, content } = fields(value);
  if (role !== 'user' && role !== 'assistant' && role !== 'operator') return [];
  const parts = typeof content === 'string' ? { text: content } : fields(content);
  const text = readString(parts.text);
  if (typeof seq !== 'number' || text === '') return [];
  const sources = readSources(parts.sources);
  return [{ seq, role, text, sources, escalated: parts.requires_escalation === true }];
}

/** What a customer sees of a history, oldest first: no system or tool messages. `null`: not a history. */
export function readHistory(body: unknown): PastMessage[] | null {
  const { messages } = fields(body);
  return Array.isArray(messages) ? messages.flatMap(readPastMessage) : null;
}
