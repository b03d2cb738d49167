import type { JsonValue } from 'holdfast';
import type {
  Model,
  ModelMessage,
  ModelPart,
  ModelRequest,
  SessionKnowledge,
  ToolCall,
} from '../model/model.ts';
import { ModelError } from '../model/model-error.ts';
import type { Calls, Usage } from '../telemetry/calls.ts';
import type { ToolContext } from '../tools/tool.ts';
import type { Toolbox } from '../tools/toolbox.ts';

/** How often a model is asked for one answer. */
const maxRounds = 6;
/** The calls that it may make in one round. */
const maxCalls = 16;

type End = Extract<ModelPart, { type: 'end' }>;

export interface ToolLoopOptions {
  readonly model: Model;
  readonly toolbox: Toolbox;
  readonly calls: Calls;
  readonly context: ToolContext;
  /** The conversation, with the question last. */
  readonly messages: readonly ModelMessage[];
  /** What the session knows by now: tools may have added to it. */
  readonly session: () => SessionKnowledge;
}

export interface ModelAnswer extends Omit<End, 'type'> {
  readonly text: string;
  readonly toolsUsed: readonly string[];
}

/**
 * Asks the model, has its tools run and asks again, until it answers without calls. Each call and its
 * result are appended to the turn as a pair; what the model says is emitted as it says it.
 *
 * @throws ModelError when it gets to no answer; what the model and the tools throw.
 */
export async function runToolLoop(options: ToolLoopOptions): Promise<ModelAnswer> {
  const { model, calls, context, session, toolbox } = options;
  const { turn } = context;
  const sessionId = turn.session.id;
  const messages = [...options.messages];
  const toolsUsed = new Set<string>();
  let text = '';
  for (let round = 1; round <= maxRounds; round += 1) {
    const { signal } = turn;
    signal.throwIfAborted();
    const request = { messages: [...messages], tools: toolbox.specs, session: session(), signal };
    const say = (piece: Piece) => {
      // What it says after its tools is a paragraph of its own.
      const gap = piece.isFirst && text !== '' ? '\n\n' : '';
      text += gap + piece.text;
      turn.emit({ type: 'text', text: gap + piece.text });
    };
    const said = await calls.model(model, sessionId, (used) => ask(model, request, { say, used }));
    if (said.calls.length === 0) {
      return { ...endOf(said, text, model), text, toolsUsed: [...toolsUsed] };
    }
    turn.append({ role: 'assistant', content: { text: '', tool_calls: said.calls } });
    messages.push({ role: 'assistant', text: said.text, toolCalls: said.calls });
    for (const call of said.calls) {
      const result = await runCall(call, options);
      if (toolbox.has(call.name)) toolsUsed.add(call.name);
      turn.append({
        role: 'tool',
        content: { tool_call_id: call.id, name: call.name, result },
      });
      messages.push({ role: 'tool', callId: call.id, name: call.name, result });
    }
  }
  throw new ModelError(model.name, `it asked for tools ${maxRounds} times and answered nothing`);
}

async function runCall(
  call: ToolCall,
  { toolbox, context, calls }: ToolLoopOptions,
): Promise<JsonValue> {
  const { turn } = context;
  turn.signal.throwIfAborted();
  // A name that the model made up is no tool, and would be one more series in metrics.
  if (!toolbox.has(call.name)) return toolbox.run(call, context);
  turn.emit({ type: 'tool', name: call.name });
  return calls.tool(call, turn.session.id, () => toolbox.run(call, context));
}

interface Piece {
  readonly text: string;
  readonly isFirst: boolean;
}

/** What a model said when it was asked once. */
interface Said {
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly end: End | undefined;
}

async function ask(
  model: Model,
  request: ModelRequest,
  { say, used }: { say: (piece: Piece) => void; used: (usage: Usage) => void },
): Promise<Said> {
  let text = '';
  const calls: ToolCall[] = [];
  for await (const part of model.answer(request)) {
    if (part.type === 'end') return { text, calls, end: part };
    if (part.type === 'usage') used(part);
    else if (part.type === 'tool_call') {
      calls.push(part.call);
      if (calls.length > maxCalls) {
        throw new ModelError(model.name, `it made more than ${maxCalls} calls at once`);
      }
    } else if (part.text !== '') {
      say({ text: part.text, isFirst: text === '' });
      text += part.text;
    }
  }
  return { text, calls, end: undefined };
}

/** What a whole answer ends with. */
function endOf({ end }: Said, text: string, { name }: Model): Omit<End, 'type'> {
  if (end === undefined) throw new ModelError(name, 'its answer has no end');
  if (text.trim() === '') throw new ModelError(name, 'its answer has no text');
  const { sources, confidence, answered } = end;
  if (!(confidence >= 0 && confidence <= 1)) {
    throw new ModelError(name, `its confidence is ${confidence}, not from 0 to 1`);
  }
  return { sources, confidence, answered };
}
