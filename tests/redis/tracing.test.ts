import type { Span, SpanOptions, Tracer } from 'holdfast';
import { SessionManager } from 'holdfast';
import { expect, it } from 'vitest';
import { startedRedis } from './connection/fixtures.ts';
import { SharedNamespace } from './support/shared-namespace.ts';

it('begin and commit are traced in the words of the conventions for databases', async () => {
  const { url } = await startedRedis();
  const { store } = await new SharedNamespace(url).instance();
  const spans: (SpanOptions & { name: string })[] = [];
  const span: Span = { isRecording: () => true, setAttributes() {}, setStatus() {}, end() {} };
  const tracer: Tracer = {
    startActiveSpan(name, options, work) {
      spans.push({ name, ...options });
      return work(span);
    },
  };
  const sessions = new SessionManager({ store, tracer });
  await sessions.create({ sessionId: 's' });
  await sessions.turn('s', () => 1);
  const call = (script: string) => ({
    'db.system.name': 'redis',
    'db.operation.name': 'EVALSHA',
    'db.stored_procedure.name': script,
  });
  expect(spans).toEqual([
    { name: 'turn', kind: 0, attributes: { 'gen_ai.conversation.id': 's' } },
    { name: 'begin', kind: 2, attributes: call('begin') },
    { name: 'commit', kind: 2, attributes: { ...call('write'), 'holdfast.checkpoint': false } },
  ]);
});
