import type { LanguageModelV3FunctionTool } from '@ai-sdk/provider';
import { type Clock, systemClock } from 'holdfast';
import { readDialogue } from '../dialogue.ts';
import type { Model, ModelPart, ModelRequest, ToolSpec } from '../model.ts';
import { ModelServerError } from '../model-error.ts';
import { groundedIn, groundedInNothing } from './grounding.ts';
import { ModelServer, type ModelServerOptions } from './model-server.ts';
import { promptOf } from './prompt.ts';
import { toolCallOf } from './tool-call.ts';

/** No answer to a customer is longer, in characters; what is runs away. */
const maxText = 16_000;
/** One piece of live output has room for it. */
const piece = /.{1,4000}/gsu;

const declined =
  'I’m sorry, I can’t answer that. If you like, I can pass the conversation on to a person.';

export interface OpenAIModelOptions extends ModelServerOptions {
  /** Whose support this is, as it stands after "the support of". */
  readonly shop?: string | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * A model on a server with OpenAI's chat completions. It words the answers; what they rest on is taken
 * from the turn's own searches. It keeps nothing between two calls.
 */
export class OpenAIModel implements Model {
  readonly name: string;
  readonly provider = 'openai';
  readonly #server: ModelServer;
  readonly #shop: string | undefined;

  constructor({ shop, clock = systemClock, ...server }: OpenAIModelOptions) {
    this.name = server.model;
    this.#shop = shop;
    this.#server = new ModelServer(server, clock);
  }

  /** @throws ModelServerError; the signal's reason */
  async *answer(request: ModelRequest): AsyncGenerator<ModelPart> {
    const { messages, tools, signal } = request;
    signal.throwIfAborted();
    const question = { prompt: promptOf(request, this.#shop), tools: tools.map(functionOf) };
    let text = '';
    let hasCalls = false;
    for await (const part of this.#server.ask(question, signal)) {
      switch (part.type) {
        case 'text-delta':
          text += part.delta;
          if (text.length > maxText) throw tooLong();
          for (const some of part.delta.match(piece) ?? []) yield { type: 'text', text: some };
          break;
        case 'tool-call':
          hasCalls = true;
          yield { type: 'tool_call', call: toolCallOf(part.toolName, part.input) };
          break;
        case 'finish': {
          const { inputTokens, outputTokens } = part.usage;
          const tokens = { inputTokens: inputTokens.total, outputTokens: outputTokens.total };
          yield { type: 'usage', ...tokens };
          if (hasCalls) return;
          const { unified: reason } = part.finishReason;
          const isRefusal = reason === 'content-filter';
          if (isRefusal && text === '') yield { type: 'text', text: declined };
          const isWhole = !isRefusal && reason !== 'length';
          const dialogue = readDialogue(messages);
          const end = isWhole
            ? groundedIn(dialogue, saidInTurn(messages) + text)
            : groundedInNothing();
          yield { type: 'end', ...end };
          return;
        }
      }
    }
  }
}

/** What the model said in this turn before its tools ran. */
function saidInTurn(messages: ModelRequest['messages']): string {
  const at = messages.findLastIndex(({ role }) => role === 'user');
  return messages
    .slice(at + 1)
    .map((message) => (message.role === 'assistant' ? `${message.text}\n\n` : ''))
    .join('');
}

function functionOf({ name, description, inputSchema }: ToolSpec): LanguageModelV3FunctionTool {
  return { type: 'function', name, description, inputSchema };
}

function tooLong(): ModelServerError {
  return new ModelServerError(
    'broken',
    `The model wrote more than ${maxText} characters in one answer. If it lasts, take another AGENT_MODEL.`,
  );
}
