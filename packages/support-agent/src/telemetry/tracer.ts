import { trace } from '@opentelemetry/api';

/** Does nothing until the process has registered an OpenTelemetry SDK. */
export const tracer = trace.getTracer('@holdfast/support-agent');
