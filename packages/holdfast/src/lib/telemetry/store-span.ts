import { type SpanOptions, spanKind } from './tracer.ts';

/**
 * A span of one of the store's scripts, in the words of OpenTelemetry's semantic conventions for
 * databases; in memory there is no database to name.
 */
export function storeSpan(storeType: 'in_memory' | 'redis', script: string): SpanOptions {
  return storeType === 'redis'
    ? {
        kind: spanKind.client,
        attributes: {
          'db.system.name': 'redis',
          'db.operation.name': 'EVALSHA',
          'db.stored_procedure.name': script,
        },
      }
    : { kind: spanKind.internal, attributes: {} };
}
