import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OpenAIModel } from '../model/openai/openai-model.ts';
import { ChatServer, said, streamed } from '../testing/chat-server.ts';
import { eventually } from '../testing/eventually.ts';
import { GatedModel } from '../testing/gated-model.ts';
import { ScriptedModel } from '../testing/scripted-model.ts';
import { operator, startTestApp } from '../testing/test-app.ts';
import { tracer } from './tracer.ts';

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
});
afterAll(() => {
  for (const api of [context, propagation, trace]) api.disable();
});
beforeEach(() => exporter.reset());

function spanNamed(name: string) {
  const found = exporter.getFinishedSpans().filter((span) => span.name === name);
  if (found[0] === undefined) {
    const names = exporter.getFinishedSpans().map((span) => span.name);
    throw new Error(`There is no span ${name}, but ${names.join(', ')}.`);
  }
  return found[0];
}

const route = 'POST /api/sessions/:id/messages';
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('a message', () => {
  it('is traced from its request down to the commit, the model and the tools', async () => {
    const test = await startTestApp({ tracer });
    const session = await test.open();
    const question = 'How long does a refund take?';
    expect((await test.say(session, question, { traceparent })).statusCode).toBe(200);
    const request = spanNamed(route);
    expect(request.kind).toBe(SpanKind.SERVER);
    expect(request.attributes).toEqual({
      'http.request.method': 'POST',
      'url.scheme': 'http',
      'http.route': '/api/sessions/:id/messages',
      'http.response.status_code': 200,
    });
    expect(request.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
    const turn = spanNamed('turn');
    expect(turn.parentSpanContext?.spanId).toBe(request.spanContext().spanId);
    const children = ['begin', 'commit', 'chat local', 'execute_tool search_knowledge'];
    for (const child of children.map(spanNamed)) {
      expect(child.parentSpanContext?.spanId, child.name).toBe(turn.spanContext().spanId);
      expect(child.spanContext().traceId).toBe('0af7651916cd43dd8448eb211c80319c');
    }
    expect(spanNamed('chat local').attributes).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'local',
      'gen_ai.request.model': 'local',
      'gen_ai.conversation.id': session.id,
    });
    expect(spanNamed('execute_tool search_knowledge').attributes).toMatchObject({
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'search_knowledge',
      'gen_ai.tool.call.id': expect.any(String),
    });
    const all = JSON.stringify(
      exporter.getFinishedSpans().map(({ name, attributes, events }) => [name, attributes, events]),
    );
    expect(all).not.toContain('refund');
    expect(all).not.toContain(session.token);
  });

  it('names the provider of its model and what each call took, where that is known', async () => {
    const model = new OpenAIModel({
      baseUrl: (await ChatServer.start(streamed(said('Hi!'), { usage: [120, 8] }))).base,
      ...{ apiKey: undefined, model: 'gpt-small', timeoutMs: 60_000 },
    });
    const test = await startTestApp({ tracer, model });
    expect((await test.say(await test.open(), 'Hello')).statusCode).toBe(200);
    expect(spanNamed('chat gpt-small').attributes).toMatchObject({
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-small',
      'gen_ai.usage.input_tokens': 120,
      'gen_ai.usage.output_tokens': 8,
    });
  });

  it('whose model fails is traced and counted as that, without what the failure quotes', async () => {
    const secret = 'what the customer said';
    const model = new ScriptedModel(() => {
      throw new TypeError(secret);
    });
    const test = await startTestApp({ tracer, model });
    await test.say(await test.open(), 'Hello');
    const chat = spanNamed('chat scripted');
    expect(chat.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(chat.attributes).toMatchObject({ 'error.type': 'TypeError' });
    const all = exporter.getFinishedSpans();
    expect(JSON.stringify(all.map((s) => [s.attributes, s.events, s.status]))).not.toContain(
      secret,
    );
    const { body } = await test.request('GET', '/metrics', { headers: operator });
    expect(body).toContain(
      'holdfast_model_call_duration_seconds_count{model="scripted",failed="true"} 1\n',
    );
  });

  it('as a stream is traced the same', async () => {
    const test = await startTestApp({ tracer });
    const session = await test.open();
    const accept = 'text/event-stream';
    expect((await test.say(session, 'Hello', { accept })).statusCode).toBe(200);
    expect(spanNamed('turn').parentSpanContext?.spanId).toBe(spanNamed(route).spanContext().spanId);
  });

  it('whose client leaves in mid-answer is traced and counted once, and ends', async () => {
    const model = new GatedModel();
    const test = await startTestApp({ tracer, model });
    const session = await test.open();
    const address = await test.listen();
    const hangUp = new AbortController();
    const asked = fetch(`${address}${session.url}/messages`, {
      method: 'POST',
      headers: { ...session.auth, 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ message: 'Hello' }),
      signal: hangUp.signal,
    });
    const question = await model.nextQuestion();
    await asked;
    hangUp.abort();
    await eventually(() => spanNamed(route)).toBeDefined();
    expect(spanNamed(route).attributes).toMatchObject({ 'http.response.status_code': 499 });
    question.answer('Hi!');
    await eventually(() => spanNamed('turn')).toBeDefined();
    const { body } = await test.request('GET', '/metrics', { headers: operator });
    const counted = body
      .split('\n')
      .filter((line) => /^holdfast_http_request_duration_seconds_count.*messages/.test(line));
    expect(counted).toEqual([expect.stringMatching(/status="499"\} 1$/)]);
    const spans = exporter.getFinishedSpans().filter(({ name }) => name === route);
    expect(spans).toHaveLength(1);
  });

  it('that fails here is an error of its span', async () => {
    const { open, say, faults } = await startTestApp({ tracer });
    const session = await open();
    faults.fail('begin');
    await say(session, 'Hello');
    expect(spanNamed(route).status).toEqual({ code: SpanStatusCode.ERROR });
    expect(spanNamed(route).attributes).toMatchObject({
      'http.response.status_code': 503,
      'error.type': '503',
    });
  });

  it('that is refused is traced with its status and without its address', async () => {
    const { request } = await startTestApp({ tracer });
    await request('GET', '/api/users/secret-user/sessions');
    expect(spanNamed('GET /api/users/:id/sessions').attributes).toEqual({
      'http.request.method': 'GET',
      'url.scheme': 'http',
      'http.route': '/api/users/:id/sessions',
      'http.response.status_code': 403,
    });
  });
});
