import type { JsonValue } from 'holdfast';
import { loadKnowledge } from '../knowledge/load-knowledge.ts';
import type { Passage } from '../knowledge/passage.ts';
import { LocalModel } from '../model/local/local-model.ts';
import type { ModelMessage, SessionKnowledge, ToolCall } from '../model/model.ts';
import type { EscalationReason } from '../tools/support-record.ts';

const model = new LocalModel();
/** The articles that come with the server. */
export const knowledge = await loadKnowledge();

export const ticketId = 'T-0123ABCD';

export const ticketFor = (reason: EscalationReason) => ({
  id: ticketId,
  reason,
  from_seq: 1,
  to_seq: 1,
  created_at: '2030-01-01T00:00:00.000Z',
});

export const later: SessionKnowledge = {
  facts: { email: null, phone: null, orderNumbers: [], ticketNumbers: [] },
  tickets: [],
  openTicket: null,
  unansweredInARow: 0,
  isFirstAnswer: false,
  clientChanges: [],
};

export interface Setting {
  readonly earlier?: readonly ModelMessage[];
  readonly session?: Partial<SessionKnowledge>;
  /** What a search finds; the articles that come with the server are searched unless given. */
  readonly found?: readonly Passage[] | ((query: string) => readonly Passage[]);
  readonly signal?: AbortSignal;
}

/** Asks the model as an agent does, with tools that do what they are asked and keep nothing. */
export async function ask(question: string, setting: Setting = {}) {
  const { earlier = [], found, signal = new AbortController().signal } = setting;
  const messages: ModelMessage[] = [...earlier, { role: 'user', text: question }];
  let session = { ...later, ...setting.session };
  const calls: (readonly [string, JsonValue])[] = [];
  const run = ({ name, input }: ToolCall): JsonValue => {
    const { query, kind, value, reason } = input as Record<string, string>;
    if (name === 'search_knowledge') {
      const passages = typeof found === 'function' ? found(query ?? '') : found;
      return { passages: (passages ?? knowledge.search(query ?? '')).map((one) => ({ ...one })) };
    }
    if (name === 'escalate') {
      const isNew = session.openTicket === null;
      return { ticket: ticketFor(reason as EscalationReason), is_new: isNew };
    }
    if (kind === 'order_number' && value !== undefined) {
      const facts = { ...session.facts, orderNumbers: [...session.facts.orderNumbers, value] };
      session = { ...session, facts };
    }
    return { remembered: { kind: kind ?? '', value: value ?? '' }, is_new: true };
  };
  for (;;) {
    const pieces: string[] = [];
    const made: ToolCall[] = [];
    for await (const part of model.answer({ messages, tools: [], session, signal })) {
      if (part.type === 'text') pieces.push(part.text);
      else if (part.type === 'tool_call') made.push(part.call);
      else if (part.type === 'end') return { ...part, pieces, text: pieces.join(''), calls };
    }
    if (made.length === 0)
      throw new Error('The model has neither answered nor asked for anything.');
    messages.push({ role: 'assistant', text: '', toolCalls: made });
    for (const call of made) {
      calls.push([call.name, call.input]);
      messages.push({ role: 'tool', callId: call.id, name: call.name, result: run(call) });
    }
  }
}

export const passage = (id: string, rest: Partial<Passage> = {}): Passage => ({
  id,
  title: id.split('#')[0] ?? '',
  heading: `About ${id.split('#')[1]}`,
  text: `This is ${id}.`,
  score: 10,
  coverage: 1,
  ...rest,
});

export const said = (text: string): ModelMessage => ({ role: 'assistant', text, toolCalls: [] });
export const nothing = { found: [] };
