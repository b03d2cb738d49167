import { type Attributes, type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { Clock } from 'holdfast';
import type { Model, ModelPart } from '../model/model.ts';
import { tracer } from './tracer.ts';

/** One use of a model or of a tool. */
export interface Call {
  readonly kind: 'model' | 'tool';
  readonly name: string;
  readonly seconds: number;
  readonly failed: boolean;
}

/** What a call of a model took, in tokens, where that is known. */
export type Usage = Omit<Extract<ModelPart, { type: 'usage' }>, 'type'>;

/**
 * Times and traces what an agent calls, in the words of OpenTelemetry's semantic conventions for
 * generative AI. What is said stays out of spans.
 */
export class Calls {
  readonly #clock: Clock;
  readonly #listeners = new Set<(call: Call) => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `listener` after each call; returns the way to stop. */
  on(listener: (call: Call) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param work gets whom to tell what the call took */
  model<Result>(
    { name, provider = name }: Pick<Model, 'name' | 'provider'>,
    sessionId: string,
    work: (used: (usage: Usage) => void) => Promise<Result>,
  ): Promise<Result> {
    const asked = (span: Span) =>
      work(({ inputTokens, outputTokens }) => {
        if (inputTokens !== undefined) span.setAttribute('gen_ai.usage.input_tokens', inputTokens);
        if (outputTokens === undefined) return;
        span.setAttribute('gen_ai.usage.output_tokens', outputTokens);
      });
    return this.#run('model', name, `chat ${name}`, SpanKind.CLIENT, asked, {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': provider,
      'gen_ai.request.model': name,
      'gen_ai.conversation.id': sessionId,
    });
  }

  tool<Result>(
    { name, id }: { readonly name: string; readonly id: string },
    sessionId: string,
    work: () => Promise<Result>,
  ): Promise<Result> {
    return this.#run('tool', name, `execute_tool ${name}`, SpanKind.INTERNAL, work, {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': name,
      'gen_ai.tool.call.id': id,
      'gen_ai.conversation.id': sessionId,
    });
  }

  #run<Result>(
    kind: Call['kind'],
    name: string,
    title: string,
    spanKind: SpanKind,
    work: (span: Span) => Promise<Result>,
    attributes: Attributes,
  ): Promise<Result> {
    const from = this.#clock.monotonic();
    const told = (failed: boolean) => {
      const seconds = (this.#clock.monotonic() - from) / 1000;
      for (const listener of this.#listeners) listener({ kind, name, seconds, failed });
    };
    return tracer.startActiveSpan(title, { kind: spanKind, attributes }, async (span) => {
      try {
        const result = await work(span);
        told(false);
        return result;
      } catch (error) {
        told(true);
        span.setAttribute('error.type', error instanceof Error ? error.name : '_OTHER');
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    });
  }
}
