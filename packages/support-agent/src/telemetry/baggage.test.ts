import { context, propagation } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CBaggagePropagator } from '@opentelemetry/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ModelPart } from '../model/model.ts';
import { ScriptedModel } from '../testing/scripted-model.ts';
import { startTestApp } from '../testing/test-app.ts';

// A process that hands on context, and traces nothing.
beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CBaggagePropagator());
});
afterAll(() => {
  for (const api of [context, propagation]) api.disable();
});

const answer: readonly ModelPart[] = [
  { type: 'text', text: 'Hi!' },
  { type: 'end', sources: [], confidence: 0.8, answered: true },
];

it.each(['application/json', 'text/event-stream'])(
  'what a request carries reaches the model without a tracer (%s)',
  async (accept) => {
    const seen: (string | undefined)[] = [];
    const noting = () => {
      seen.push(propagation.getActiveBaggage()?.getEntry('tenant')?.value);
      return answer;
    };
    const test = await startTestApp({ model: new ScriptedModel(noting, noting) });
    const session = await test.open();
    const first = await test.say(session, 'Hello', { accept, baggage: 'tenant=acme' });
    const second = await test.say(session, 'Hello again', { accept });
    expect([first.statusCode, second.statusCode]).toEqual([200, 200]);
    expect(seen).toEqual(['acme', undefined]);
  },
);
