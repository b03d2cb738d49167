import type { Clock, JsonValue, Turn } from 'holdfast';
import { z } from 'zod';
import type { Knowledge } from '../knowledge/knowledge-base.ts';
import type { ToolSpec } from '../model/model.ts';

/** What a tool works with: the turn that it is part of, and what it may look up. */
export interface ToolContext {
  /**
   * Asked before a sensitive tool runs, whatever made the model call it.
   * @throws StepUpRequiredError when the customer must log in again first.
   */
  readonly stepUp: StepUp;
  readonly turn: Turn;
  readonly knowledge: Knowledge;
  readonly clock: Clock;
  /** The `seq` of the customer's newest message, or of the newest where that is not kept any more. */
  readonly lastCustomerSeq: number;
}

/** Whether the session's customer has proved lately enough who they are. */
export type StepUp = (request: {
  readonly sessionId: string;
  readonly tool: string;
  /** How old the proof may be, in seconds. */
  readonly maxAgeSeconds: number;
}) => Promise<void>;

/** Something that a model can have done. What it changes is part of the turn's one commit. */
export interface Tool {
  readonly spec: ToolSpec;
  /** Of a sensitive tool (a refund, say): how long ago its customer may have logged in, in seconds. */
  readonly freshSeconds?: number | undefined;
  /**
   * What the model learns: the tool's result, or `{ error }` when the input does not fit its schema.
   * What it throws is no fault of the model's and ends the turn, except a `ValidationError`.
   */
  run(input: JsonValue, context: ToolContext): Promise<JsonValue>;
}

export interface ToolDefinition<Input extends z.ZodType> {
  readonly name: string;
  readonly description: string;
  readonly input: Input;
  /** Makes the tool a sensitive one; see `Tool`. From 0. */
  readonly freshSeconds?: number | undefined;
  run(input: z.output<Input>, context: ToolContext): JsonValue | Promise<JsonValue>;
}

export function defineTool<Input extends z.ZodType>(definition: ToolDefinition<Input>): Tool {
  const { name, description, input: schema, freshSeconds } = definition;
  return {
    freshSeconds,
    spec: { name, description, inputSchema: z.toJSONSchema(schema, { io: 'input' }) },
    async run(input, context) {
      const parsed = schema.safeParse(input);
      if (!parsed.success) return { error: `The input does not fit: ${problems(parsed.error)}.` };
      return definition.run(parsed.data, context);
    },
  };
}

function problems({ issues }: z.ZodError): string {
  return issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');
}
