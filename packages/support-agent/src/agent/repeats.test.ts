import {
  LeaseLostError,
  OutcomeUnknownError,
  type SessionManager,
  StoreUnavailableError,
} from 'holdfast';
import { createTestSessions, FakeClock, Faults } from 'holdfast/testing';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { ModelPart } from '../model/model.ts';
import { GatedModel } from '../testing/gated-model.ts';
import { ScriptedModel, type ScriptedRound } from '../testing/scripted-model.ts';
import { readSupport } from '../tools/support-record.ts';
import { CustomerSupportAgent } from './customer-support-agent.ts';

const sessionId = 's';
let clock: FakeClock;
let faults: Faults;
let sessions: SessionManager;

beforeEach(async () => {
  clock = new FakeClock();
  faults = new Faults();
  sessions = createTestSessions({ clock, faults });
  onTestFinished(() => sessions.close());
  await sessions.getOrCreate({ sessionId });
});

const request = { sessionId, message: 'FF-20418837! A person!', idempotencyKey: 'k' };

/** Remembers a fact, makes a ticket … */
const calls: readonly ModelPart[] = [
  {
    type: 'tool_call',
    call: { id: '1', name: 'remember_fact', input: { kind: 'order_number', value: 'FF-20418837' } },
  },
  { type: 'tool_call', call: { id: '2', name: 'escalate', input: { reason: 'asked_for' } } },
];
/** … and answers. */
const answer: readonly ModelPart[] = [
  { type: 'text', text: 'A person comes.' },
  { type: 'end', sources: [], confidence: 1, answered: true },
];

function agentWith(...rounds: readonly ScriptedRound[]) {
  const model = new ScriptedModel(...rounds);
  return new CustomerSupportAgent({ sessions, model, knowledge: { search: () => [] } });
}

/** What a retry must come to, however many attempts there were. */
async function expectOnce(reply: { readonly message: string; readonly ticket: object | null }) {
  const messages = await sessions.store.messages(sessionId);
  expect(messages.map(({ role }) => role)).toEqual([
    'user',
    'assistant',
    'tool',
    'tool',
    'assistant',
  ]);
  expect(messages.at(-1)?.content).toMatchObject({
    text: 'A person comes.',
    requires_escalation: true,
    ticket: reply.ticket,
  });
  const session = await sessions.store.get(sessionId);
  expect(session).toMatchObject({
    escalated: true,
    counters: { messageCount: 1, answers: 1, escalations: 1 },
  });
  const { facts, tickets } = readSupport(session?.metadata ?? {});
  expect(facts.orderNumbers).toEqual(['FF-20418837']);
  expect(tickets).toEqual([reply.ticket]);
  expect(reply.message).toBe('A person comes.');
}

describe('a message under an idempotency key', () => {
  it('is answered once, and repeated as it was answered', async () => {
    const agent = agentWith(calls, answer);
    const first = await agent.processMessage(request);
    const { toolMetadata: _, ...repeat } = await agent.processMessage(request);
    expect(first).toMatchObject(repeat);
    await expectOnce(repeat);
  });

  it('is one message with one answer and one ticket after an attempt that failed behind its tools', async () => {
    const failing = () => {
      throw new RangeError('no model today');
    };
    const agent = agentWith(calls, failing, calls, answer);
    await expect(agent.processMessage(request)).rejects.toThrow('no model today');
    const session = await sessions.store.get(sessionId);
    expect(session).toMatchObject({
      escalated: false,
      counters: { messageCount: 1 },
      metadata: {},
    });
    await expectOnce(await agent.processMessage(request));
  });

  it('is so after an attempt whose commit was not stored', async () => {
    const unstored = () => {
      faults.fail('commit');
      return answer;
    };
    const agent = agentWith(calls, unstored, calls, answer);
    await expect(agent.processMessage(request)).rejects.toThrow(StoreUnavailableError);
    await expectOnce(await agent.processMessage(request));
  });

  it('is so after an attempt that was stored, and nobody learned of it', async () => {
    const unheard = () => {
      faults.fail('commit', { when: 'after', times: 2 });
      return answer;
    };
    const agent = agentWith(calls, unheard);
    await expect(agent.processMessage(request)).rejects.toThrow(OutcomeUnknownError);
    await expectOnce(await agent.processMessage(request));
  });

  it('is so after an instance that died in the middle of the answer', async () => {
    const dying = new GatedModel();
    const knowledge = { search: () => [] };
    const dead = new CustomerSupportAgent({ sessions, model: dying, knowledge });
    const lost = expect(dead.processMessage(request)).rejects.toThrow(LeaseLostError);
    await dying.nextQuestion();
    // Nothing comes from it any more: neither a renewal of its lease, nor its release.
    faults.fail('renew', { times: 100 });
    faults.fail('release');
    await clock.advance(60_000);
    await lost;
    await expectOnce(await agentWith(calls, answer).processMessage(request));
  });
});
