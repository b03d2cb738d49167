/**
 * What is used here of OpenTelemetry's tracing API. `trace.getTracer('…')` of `@opentelemetry/api` fits;
 * this package does not load it.
 */
export interface Tracer {
  startActiveSpan<Result>(name: string, options: SpanOptions, work: (span: Span) => Result): Result;
}

export interface SpanOptions {
  readonly kind?: number;
  readonly attributes?: Record<string, AttributeValue>;
}

export interface Span {
  isRecording(): boolean;
  setAttributes(attributes: Record<string, AttributeValue>): unknown;
  setStatus(status: { readonly code: number; readonly message?: string }): unknown;
  end(): void;
}

export type AttributeValue = string | number | boolean;

/** OpenTelemetry's numbers of kinds and states. */
export const spanKind = { internal: 0, client: 2 } as const;
const statusError = 2;

/**
 * Runs `work` in a span of its own, which ends with it; `null` instead of one that is not recorded. A
 * failure is told by its code and type, never by its message: that may quote a customer.
 */
export function traced<Result>(
  tracer: Tracer | undefined,
  name: string,
  options: SpanOptions,
  work: (span: Span | null) => Promise<Result>,
): Promise<Result> {
  if (tracer === undefined) return work(null);
  // Without an SDK this is all that a span costs: no promise more, and no attributes.
  return tracer.startActiveSpan(name, options, (span) =>
    span.isRecording() ? recorded(span, work) : work(null),
  );
}

async function recorded<Result>(
  span: Span,
  work: (span: Span) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(span);
  } catch (error) {
    span.setAttributes({ 'error.type': errorType(error) });
    span.setStatus({ code: statusError });
    throw error;
  } finally {
    span.end();
  }
}

function errorType(error: unknown): string {
  if (!(error instanceof Error)) return '_OTHER';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
