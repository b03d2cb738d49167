import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestSessions } from '../testing/create-test-sessions.ts';

const contexts = new AsyncLocalStorageContextManager();
beforeAll(() => context.setGlobalContextManager(contexts.enable()));
afterAll(() => context.disable());

function setUp() {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const tracer = provider.getTracer('test');
  const sessions = createTestSessions({ tracer });
  const spans = () => exporter.getFinishedSpans();
  const named = (name: string) => spans().filter((span) => span.name === name);
  const only = (name: string): ReadableSpan => {
    const [span, ...more] = named(name);
    if (span === undefined || more.length > 0) throw new Error(`Not one span ${name}.`);
    return span;
  };
  return { sessions, tracer, spans, named, only };
}

describe('spans of OpenTelemetry', () => {
  it('has a turn, with its begin, its commits and what its work traces below it', async () => {
    const { sessions, tracer, named, only } = setUp();
    await sessions.create({ sessionId: 's' });
    await sessions.turn('s', async (turn) => {
      await turn.checkpoint();
      tracer.startSpan('mine').end();
    });
    const turn = only('turn');
    expect(turn.attributes).toMatchObject({
      'gen_ai.conversation.id': 's',
      'holdfast.turn.outcome': 'committed',
      'holdfast.turn.attempt': 1,
      'holdfast.turn.checkpoints': 1,
    });
    const commits = named('commit');
    expect(commits.map(({ attributes }) => attributes['holdfast.checkpoint'])).toEqual([
      true,
      false,
    ]);
    for (const child of [only('begin'), only('mine'), ...commits]) {
      expect(child.parentSpanContext?.spanId).toBe(turn.spanContext().spanId);
    }
  });

  it('are below the one that the caller is in', async () => {
    const { sessions, tracer, only } = setUp();
    await sessions.create({ sessionId: 's' });
    await tracer.startActiveSpan('request', async (span) => {
      expect(trace.getActiveSpan()).toBe(span);
      await sessions.turn('s', () => 1);
      span.end();
    });
    expect(only('turn').parentSpanContext?.spanId).toBe(only('request').spanContext().spanId);
  });

  it('say what failed by its code, and quote nobody', async () => {
    const { sessions, only, spans } = setUp();
    await sessions.create({ sessionId: 's' });
    const secret = 'what the customer said';
    await expect(sessions.turn('s', () => Promise.reject(new TypeError(secret)))).rejects.toThrow(
      secret,
    );
    await expect(sessions.turn('none', () => 1)).rejects.toThrow();
    const [failed, refused] = spans().filter(({ name }) => name === 'turn');
    expect(failed?.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(failed?.attributes).toMatchObject({
      'error.type': 'TypeError',
      'holdfast.turn.outcome': 'failed',
    });
    expect(refused?.attributes['error.type']).toBe('SESSION_NOT_FOUND');
    expect(spans().filter(({ name }) => name === 'begin')).toHaveLength(2);
    expect(() => only('commit')).toThrow();
    expect(JSON.stringify(spans().map((s) => [s.attributes, s.events, s.status]))).not.toContain(
      secret,
    );
  });
});
