import type { SessionManager } from 'holdfast';
import { createTestSessions } from 'holdfast/testing';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Knowledge } from '../knowledge/knowledge-base.ts';
import type { Passage } from '../knowledge/passage.ts';
import { LocalModel } from '../model/local/local-model.ts';
import { phrases, templates } from '../model/local/phrases.ts';
import { readSupport } from '../tools/support-record.ts';
import { CustomerSupportAgent } from './customer-support-agent.ts';

const sessionId = 's';

const passage = (id: string, heading: string, text: string): Passage => ({
  ...{ id, heading, text },
  title: id.split('#')[0] ?? '',
  score: 10,
  coverage: 1,
});

const refund = passage('refunds#time', 'How long a refund takes', 'A refund takes five days.');
const late = passage('parcels#late', 'Parcel is late', 'Tell us your order number.');
const lateGift = passage('gifts#late', 'Gift is late', 'Ask whoever gave it to you.');

/** Finds what is named in a query. */
const knowledge: Knowledge = {
  search(query) {
    if (/refund/i.test(query)) return [refund];
    if (/gift/i.test(query)) return [lateGift];
    if (/parcel/i.test(query)) return [late];
    return /late/i.test(query) ? [late, lateGift] : [];
  },
};

let sessions: SessionManager;
let agent: CustomerSupportAgent;

beforeEach(async () => {
  sessions = createTestSessions();
  onTestFinished(() => sessions.close());
  agent = new CustomerSupportAgent({ sessions, model: new LocalModel(), knowledge });
  await agent.getOrCreateSession({ sessionId });
});

const ask = (message: string) => agent.processMessage({ sessionId, message });
const session = () => sessions.store.get(sessionId);

describe('a conversation with the local model', () => {
  it('greets once', async () => {
    expect((await ask('Hello!')).message).toBe(`${phrases.hello} ${phrases.introduction}`);
    expect((await ask('Hi, how long does a refund take?')).message).toBe(refund.text);
    expect((await ask('Hello?')).message).not.toContain(phrases.hello);
  });

  it('greets in its first answer whoever does not greet', async () => {
    expect((await ask('refund?')).message).toBe(`Hello! ${refund.text}`);
    expect((await ask('Good morning')).message).toBe(phrases.howCanIHelp);
  });

  it('passes the conversation on at the third failure in a row, by itself', async () => {
    await ask('foo');
    expect(await ask('bar')).toMatchObject({ requiresEscalation: false, ticket: null });
    const third = await ask('baz');
    expect(third.ticket).toMatchObject({ reason: 'repeated_failure', from_seq: 1, to_seq: 9 });
    expect(third).toMatchObject({
      requiresEscalation: true,
      toolsUsed: ['search_knowledge', 'escalate'],
    });
    expect(third.message).toBe(
      `${phrases.repeatedFailure} ${templates.passedOn.fill(third.ticket?.id ?? '')} ${phrases.personWillAnswer}`,
    );
    expect(await session()).toMatchObject({
      escalated: true,
      status: 'active',
      counters: { messageCount: 3, answers: 3, unanswered: 3, escalations: 1 },
    });
    expect((await ask('qux')).ticket).toEqual(third.ticket);
    expect((await session())?.counters.escalations).toBe(1);
  });

  it('begins to count anew after an answer, and after what a person wrote', async () => {
    for (const message of ['foo', 'bar', 'refund?', 'foo', 'bar']) await ask(message);
    const text = 'Kim here.';
    await sessions.store.appendMessages(sessionId, [{ role: 'operator', content: { text } }]);
    for (const message of ['foo', 'bar']) await ask(message);
    expect(await session()).toMatchObject({
      escalated: false,
      counters: { answers: 7, unanswered: 6 },
    });
  });

  it('asks back when two articles tie, and understands the choice', async () => {
    const question = templates.askBack.fill(late.heading, lateGift.heading);
    expect(await ask('it is late')).toMatchObject({
      message: `Hello! ${question}`,
      sources: [],
    });
    expect(await ask('the gift')).toMatchObject({
      message: lateGift.text,
      sources: [{ id: lateGift.id }],
    });
    expect((await session())?.counters).toMatchObject({ answers: 2, unanswered: 1 });
  });

  it('remembers facts, and uses them', async () => {
    expect((await ask('my number is FF-20418837')).message).toContain('FF-20418837.');
    await ask('kim@example.com');
    expect((await ask('my parcel is not here')).message).toBe(late.text);
    expect((await session())?.metadata).toEqual({
      support: { facts: { order_numbers: ['FF-20418837'], email: 'kim@example.com' } },
    });
  });

  it('tells back what it remembers', async () => {
    await ask('my email is kim@example.com, it was order HF-20441');
    expect((await ask('what is my email?')).message).toBe(
      'I have your email address kim@example.com.',
    );
    expect((await ask('what order number do you have for me?')).message).toBe(
      'I have your order number HF-20441.',
    );
    const { ticket } = await ask('human please');
    expect(await ask('what is my ticket number?')).toMatchObject({
      message: templates.passedOnBefore.fill(ticket?.id ?? ''),
      toolsUsed: [],
    });
    expect((await session())?.counters).toMatchObject({ answers: 5 });
    expect((await session())?.counters.unanswered ?? 0).toBe(0);
  });

  it('gives one ticket while a person is awaited, and another one afterwards', async () => {
    const first = await ask('human please');
    const { ticket } = first;
    expect(first).toMatchObject({ requiresEscalation: true, toolsUsed: ['escalate'] });
    expect(first.message).toContain(ticket?.id);
    expect(await ask('You idiots')).toMatchObject({ ticket, requiresEscalation: true });
    expect(await ask('refund?')).toMatchObject({ ticket, message: refund.text });
    await sessions.store.update(sessionId, { escalated: false });
    expect(await ask('refund?')).toMatchObject({ ticket: null, requiresEscalation: false });
    const second = (await ask('I want to talk to a person')).ticket;
    expect(second?.id).not.toBe(ticket?.id);
    expect(second?.from_seq).toBe((ticket?.to_seq ?? 0) + 1);
    const { tickets } = readSupport((await session())?.metadata ?? {});
    expect(tickets).toEqual([ticket, second]);
  });

  it('takes an accepted offer for a request for a person', async () => {
    await ask('foo');
    expect((await ask('yes please')).ticket).toMatchObject({ reason: 'asked_for' });
  });

  it('names the ticket that is open when a person has the conversation', async () => {
    const { ticket } = await ask('human please');
    await sessions.store.update(sessionId, { status: 'handed_over' });
    expect(await ask('Hello?')).toMatchObject({ message: '', ticket, toolsUsed: [] });
  });
});
