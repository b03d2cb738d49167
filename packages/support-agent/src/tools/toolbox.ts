import { type JsonValue, StepUpRequiredError, ValidationError } from 'holdfast';
import type { ToolCall, ToolSpec } from '../model/model.ts';
import type { Tool, ToolContext } from './tool.ts';

/** The tools of an agent, by name. */
export class Toolbox {
  readonly specs: readonly ToolSpec[];
  readonly #tools: ReadonlyMap<string, Tool>;

  constructor(tools: readonly Tool[]) {
    this.#tools = new Map(tools.map((tool) => [tool.spec.name, tool]));
    this.specs = Array.from(this.#tools.values(), ({ spec }) => spec);
  }

  has(name: string): boolean {
    return this.#tools.has(name);
  }

  /** A call that makes no sense is the model's to mend: it gets `{ error }` for a result. */
  async run({ name, input }: ToolCall, context: ToolContext): Promise<JsonValue> {
    const tool = this.#tools.get(name);
    if (tool === undefined) {
      return { error: `There is no such tool; there are ${[...this.#tools.keys()].join(', ')}.` };
    }
    try {
      await allow(tool, context);
      return await tool.run(input, context);
    } catch (error) {
      // The session has no room for it, say. Nothing was changed, and the answer need not fail.
      if (error instanceof ValidationError) return { error: error.message };
      if (error instanceof StepUpRequiredError) {
        context.turn.emit({ type: 'step_up', tool: name });
        return { error: 'The customer must log in again before this can be done.' };
      }
      throw error;
    }
  }
}

/** A model can be talked into anything, so this is not its to decide. @throws StepUpRequiredError */
async function allow({ spec, freshSeconds }: Tool, { turn, stepUp }: ToolContext): Promise<void> {
  if (freshSeconds === undefined) return;
  const sessionId = turn.session.id;
  await stepUp({ sessionId, tool: spec.name, maxAgeSeconds: freshSeconds });
}
