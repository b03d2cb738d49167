import type { Turn } from 'holdfast';
import type { Knowledge } from '../knowledge/knowledge-base.ts';
import type { Model } from '../model/model.ts';
import { ModelError } from '../model/model-error.ts';
import type { Answer } from './answer.ts';
import { historyBefore } from './history.ts';
import { asksForHuman } from './intents.ts';
import { escalatedPhrase } from './phrases.ts';

/** How much of the conversation a model sees. */
const historyLimit = 20;

export interface AnswerTools {
  readonly model: Model;
  readonly knowledge: Knowledge;
}

/**
 * The work of one turn. The customer's message is durable before an answer is made; the answer and
 * all that goes with it is one commit.
 */
export async function answerTurn(
  turn: Turn,
  question: string,
  tools: AnswerTools,
): Promise<Answer> {
  turn.append({ role: 'user', content: { text: question } });
  turn.increment('messageCount');
  await turn.checkpoint();
  if (turn.current.status === 'handed_over') return leftToPerson;
  const answer = asksForHuman(question) ? escalate(turn) : await askModel(turn, question, tools);
  const { message: text, sources, confidence } = answer;
  const content = { text, sources, confidence };
  turn.append({
    role: 'assistant',
    content: answer.requiresEscalation ? { ...content, requires_escalation: true } : content,
  });
  return answer;
}

const leftToPerson: Answer = {
  message: '',
  sources: [],
  requiresEscalation: true,
  confidence: 0,
  toolsUsed: [],
};

function escalate(turn: Turn): Answer {
  turn.update({ escalated: true });
  turn.emit({ type: 'text', text: escalatedPhrase });
  return {
    message: escalatedPhrase,
    sources: [],
    requiresEscalation: true,
    confidence: 1,
    toolsUsed: ['escalate'],
  };
}

async function askModel(
  turn: Turn,
  question: string,
  { model, knowledge }: AnswerTools,
): Promise<Answer> {
  const spoken = await turn.messages({ limit: historyLimit });
  const request = {
    question,
    history: historyBefore(question, spoken),
    passages: knowledge.search(question),
    signal: turn.signal,
  };
  let message = '';
  for await (const part of model.answer(request)) {
    if (part.type === 'text') {
      message += part.text;
      turn.emit({ type: 'text', text: part.text });
    } else {
      return {
        message,
        sources: part.sources,
        requiresEscalation: turn.current.escalated,
        confidence: part.confidence,
        toolsUsed: ['search_knowledge'],
      };
    }
  }
  throw new ModelError(model.name, 'its answer has no end');
}
