import type { Clock, Message, Turn } from 'holdfast';
import type { Knowledge } from '../knowledge/knowledge-base.ts';
import type { Model, SessionKnowledge } from '../model/model.ts';
import type { Calls } from '../telemetry/calls.ts';
import { openTicket, readSupport } from '../tools/support-record.ts';
import type { StepUp } from '../tools/tool.ts';
import type { Toolbox } from '../tools/toolbox.ts';
import type { Answer } from './answer.ts';
import { countUnanswered, lastCustomerSeq, modelMessages, storedLimit } from './conversation.ts';
import { runToolLoop } from './tool-loop.ts';

/** What answers are made with. */
export interface AnswerMakers {
  readonly model: Model;
  readonly knowledge: Knowledge;
  readonly toolbox: Toolbox;
  readonly stepUp: StepUp;
  readonly clock: Clock;
  readonly calls: Calls;
}

/**
 * The work of one turn. The customer's message is durable before an answer is made; the answer and
 * all that goes with it (facts, counters, a ticket, the tools' messages) is one commit.
 */
export async function answerTurn(
  turn: Turn,
  question: string,
  makers: AnswerMakers,
): Promise<Answer> {
  turn.append({ role: 'user', content: { text: question } });
  turn.increment('messageCount');
  await turn.checkpoint();
  if (turn.current.status === 'handed_over') return leaveToPerson(turn);
  const { model, toolbox, knowledge, clock, stepUp, calls } = makers;
  const stored = await turn.messages({ limit: storedLimit });
  const answer = await runToolLoop({
    model,
    toolbox,
    calls,
    context: { turn, knowledge, clock, stepUp, lastCustomerSeq: lastCustomerSeq(stored) },
    messages: modelMessages(stored, question),
    session: () => knownIn(turn, stored),
  });
  const { text, sources, confidence, answered, toolsUsed } = answer;
  const { escalated } = turn.current;
  const ticket = openTicket(turn.current);
  turn.increment('answers');
  if (!answered) turn.increment('unanswered');
  const about = { sources, confidence };
  turn.append({
    role: 'assistant',
    content: {
      text,
      ...about,
      answered,
      ...(escalated && { requires_escalation: true }),
      ...(ticket && { ticket }),
    },
  });
  turn.emit({ type: 'answer', ...about, requires_escalation: escalated, ticket });
  return { message: text, ...about, requiresEscalation: escalated, ticket, toolsUsed };
}

function leaveToPerson(turn: Turn): Answer {
  turn.emit({ type: 'left_to_person' });
  return {
    message: '',
    sources: [],
    requiresEscalation: true,
    ticket: openTicket(turn.current),
    confidence: 0,
    toolsUsed: [],
  };
}

function knownIn({ current, clientChanges }: Turn, stored: readonly Message[]): SessionKnowledge {
  return {
    openTicket: openTicket(current),
    unansweredInARow: countUnanswered(stored),
    isFirstAnswer: (current.counters.answers ?? 0) === 0,
    clientChanges,
    ...readSupport(current.metadata),
  };
}
