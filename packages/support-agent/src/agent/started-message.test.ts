import {
  type SessionManager,
  StoreUnavailableError,
  type TurnEvent,
  ValidationError,
} from 'holdfast';
import { createTestSessions, Faults } from 'holdfast/testing';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { loadKnowledge } from '../knowledge/load-knowledge.ts';
import { LocalModel } from '../model/local/local-model.ts';
import type { Model } from '../model/model.ts';
import { all } from '../testing/all.ts';
import { GatedModel } from '../testing/gated-model.ts';
import { CustomerSupportAgent } from './customer-support-agent.ts';

const sessionId = 's';
let sessions: SessionManager;
let faults: Faults;

beforeEach(async () => {
  faults = new Faults();
  sessions = createTestSessions({ faults });
  onTestFinished(() => sessions.close());
  await sessions.getOrCreate({ sessionId });
});

async function agentWith(model: Model) {
  return new CustomerSupportAgent({ sessions, model, knowledge: await loadKnowledge() });
}

const typesOf = (events: readonly TurnEvent[]) => [...new Set(events.map(({ type }) => type))];

describe('startMessage', () => {
  it('shows the tools, the text in pieces and the answer, and replies the same', async () => {
    const agent = await agentWith(new LocalModel());
    const message = 'What does a return cost for order FF-20418837?';
    const started = agent.startMessage({ sessionId, message });
    const events = await all(started.events);
    const reply = await started.reply;
    expect(typesOf(events)).toEqual(['turn.started', 'tool', 'text', 'answer', 'turn.completed']);
    const fields = events.map(({ seq: _, turnId: __, createdAt: ___, ...rest }) => rest);
    expect(fields.filter(({ type }) => type === 'tool')).toEqual([
      { type: 'tool', name: 'remember_fact' },
      { type: 'tool', name: 'search_knowledge' },
    ]);
    const pieces = fields.flatMap(({ type, text }) => (type === 'text' ? [text] : []));
    expect(pieces.length).toBeGreaterThan(3);
    expect(pieces.join('')).toBe(reply.message);
    expect(fields.at(-2)).toEqual({
      type: 'answer',
      sources: reply.sources,
      confidence: reply.confidence,
      requires_escalation: false,
      ticket: null,
    });
  });

  it('names the ticket in its answer', async () => {
    const agent = await agentWith(new LocalModel());
    const started = agent.startMessage({ sessionId, message: 'human please' });
    const events = await all(started.events);
    const { ticket } = await started.reply;
    expect(ticket).toMatchObject({ reason: 'asked_for', from_seq: 1, to_seq: 1 });
    expect(events.find(({ type }) => type === 'answer')).toMatchObject({
      requires_escalation: true,
      ticket,
    });
  });

  it('says that the conversation is left to a person', async () => {
    await sessions.store.update(sessionId, { status: 'handed_over' });
    const agent = await agentWith(new GatedModel());
    const started = agent.startMessage({ sessionId, message: 'Are you there?' });
    expect(typesOf(await all(started.events))).toEqual([
      'turn.started',
      'left_to_person',
      'turn.completed',
    ]);
    expect((await started.reply).message).toBe('');
  });

  it('starts at once, and goes on without a reader', async () => {
    const model = new GatedModel();
    const agent = await agentWith(model);
    const { reply } = agent.startMessage({ sessionId, message: 'Hi' });
    (await model.nextQuestion()).answer('Hello!');
    expect((await reply).message).toBe('Hello!');
  });

  it('is waited for by idle, like any other', async () => {
    const model = new GatedModel();
    const agent = await agentWith(model);
    const { reply } = agent.startMessage({ sessionId, message: 'Hi' });
    const question = await model.nextQuestion();
    const order: string[] = [];
    const idle = agent.idle().then(() => order.push('idle'));
    void reply.then(() => order.push('answered'));
    question.answer('Hello!');
    await idle;
    expect(order).toEqual(['answered', 'idle']);
  });

  it('has no events for a repeat under its key, and the same reply', async () => {
    const agent = await agentWith(new LocalModel());
    const request = { sessionId, message: 'human please', idempotencyKey: 'k' };
    const { toolMetadata: _, ...first } = await agent.processMessage(request);
    const repeat = agent.startMessage(request);
    expect(await all(repeat.events)).toEqual([]);
    expect(await repeat.reply).toMatchObject(first);
  });

  it('refuses a blank message at once', async () => {
    const agent = await agentWith(new LocalModel());
    expect(() => agent.startMessage({ sessionId, message: ' ' })).toThrow(ValidationError);
  });

  it('tells of a failure by its events and by a reply that nobody needs to await', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    onTestFinished(() => void process.off('unhandledRejection', note));
    const model = new GatedModel();
    const agent = await agentWith(model);
    const { events } = agent.startMessage({ sessionId, message: 'Hi' });
    (await model.nextQuestion()).fail(new RangeError('no model today'));
    expect((await all(events)).at(-1)).toMatchObject({ type: 'turn.failed' });
    faults.fail('begin');
    const refused = agent.startMessage({ sessionId, message: 'Hi' });
    await expect(all(refused.events)).rejects.toThrow(StoreUnavailableError);
    await agent.idle();
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
  });
});
