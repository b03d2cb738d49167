import { randomUUID } from 'node:crypto';
import type { JsonValue } from 'holdfast';
import { escalate } from '../../tools/escalate.ts';
import { knownValues } from '../../tools/fact.ts';
import { rememberFact } from '../../tools/remember-fact.ts';
import { searchKnowledge } from '../../tools/search-knowledge.ts';
import type { EscalationReason } from '../../tools/support-record.ts';
import type { Tool } from '../../tools/tool.ts';
import { readDialogue } from '../dialogue.ts';
import type { Model, ModelPart, ModelRequest, SessionKnowledge, ToolCall } from '../model.ts';
import { compose } from './composing.ts';
import { type Understanding, understand } from './understanding.ts';

/** Five words. */
const piece = /(?:\S+\s*){1,5}/g;

/**
 * Answers with sentences of the articles, word for word, and a few fixed phrases. It makes nothing
 * up: what it says stands in the section that it cites, and what no article covers it does not know.
 * It keeps nothing between two calls, and takes the same conversation for the same each time.
 */
export class LocalModel implements Model {
  readonly name = 'local';

  async *answer({ messages, session, signal }: ModelRequest): AsyncGenerator<ModelPart> {
    signal.throwIfAborted();
    const dialogue = readDialogue(messages);
    const understanding = understand(dialogue, session);
    const wanted = dialogue.results.length === 0 ? firstCalls(understanding, session) : [];
    const reply = wanted.length > 0 ? null : compose({ dialogue, understanding, session });
    if (reply === null) {
      const calls = wanted.length > 0 ? wanted : [escalateFor('repeated_failure')];
      for (const call of calls) yield { type: 'tool_call', call };
      return;
    }
    const { text, ...end } = reply;
    for (const some of pieces(text)) {
      signal.throwIfAborted();
      yield { type: 'text', text: some };
    }
    yield { type: 'end', ...end };
  }
}

function firstCalls({ facts, reason, queries }: Understanding, session: SessionKnowledge) {
  const news = facts.filter(({ kind, value }) => !knownValues(session.facts, kind).includes(value));
  return [
    ...news.map((fact) => callOf(rememberFact, fact)),
    ...(reason === null ? [] : [escalateFor(reason)]),
    ...queries.map((query) => callOf(searchKnowledge, { query })),
  ];
}

function escalateFor(reason: EscalationReason): ToolCall {
  return callOf(escalate, { reason });
}

function callOf({ spec }: Tool, input: JsonValue): ToolCall {
  return { id: randomUUID(), name: spec.name, input };
}

function pieces(text: string): string[] {
  return text.match(piece) ?? [];
}
