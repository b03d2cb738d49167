import {
  FingerprintMismatchError,
  IdempotencyMismatchError,
  InvalidTokenError,
  SessionGoneError,
  SessionManager,
  SessionNotFoundError,
  ValidationError,
} from 'holdfast';
import { Fingerprinter } from 'holdfast/fingerprint';
import { InMemorySessionStore } from 'holdfast/memory';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { KnowledgeBase } from '../knowledge/knowledge-base.ts';
import { loadKnowledge } from '../knowledge/load-knowledge.ts';
import { LocalModel } from '../model/local/local-model.ts';
import { GatedModel } from '../testing/gated-model.ts';
import { type ClientDetails, CustomerSupportAgent } from './customer-support-agent.ts';

let sessions: SessionManager;
let knowledge: KnowledgeBase;
let model: GatedModel;
let agent: CustomerSupportAgent;

beforeEach(async () => {
  sessions = new SessionManager({ store: new InMemorySessionStore() });
  knowledge = await loadKnowledge();
  model = new GatedModel();
  agent = new CustomerSupportAgent({ sessions, model, knowledge });
  await agent.getOrCreateSession({ sessionId: 's' });
});

afterEach(async () => {
  await sessions.close();
});

const ask = (message: string, more: { idempotencyKey?: string; token?: string } = {}) =>
  agent.processMessage({ sessionId: 's', message, ...more });

/** The conversation as stored: role and text. */
async function transcript() {
  const messages = await agent.sessionStore.messages('s');
  return messages.map(({ role, content }) => [role, (content as { text: string }).text]);
}

describe('CustomerSupportAgent', () => {
  it('answers a question from the articles, in one turn', async () => {
    agent = new CustomerSupportAgent({ sessions, model: new LocalModel(), knowledge });
    const reply = await ask('How long does a refund take?');
    expect(reply).toEqual({
      message: expect.stringContaining('within five working days'),
      sources: [
        {
          id: 'refunds#how-long-a-refund-takes',
          title: 'Refunds',
          heading: 'How long a refund takes',
          score: expect.any(Number),
        },
      ],
      confidence: expect.any(Number),
      requiresEscalation: false,
      ticket: null,
      toolsUsed: ['search_knowledge'],
      processingTime: expect.any(Number),
      toolMetadata: { sessionStats: await agent.sessionStore.getStats() },
    });
    const messages = await agent.sessionStore.messages('s');
    expect(messages.map(({ role, content }) => ({ role, content }))).toEqual([
      { role: 'user', content: { text: 'How long does a refund take?' } },
      {
        role: 'assistant',
        content: {
          text: '',
          tool_calls: [
            {
              id: expect.any(String),
              name: 'search_knowledge',
              input: { query: 'How long does a refund take?' },
            },
          ],
        },
      },
      {
        role: 'tool',
        content: {
          tool_call_id: expect.any(String),
          name: 'search_knowledge',
          result: { passages: expect.any(Array) },
        },
      },
      {
        role: 'assistant',
        content: {
          text: reply.message,
          sources: reply.sources,
          confidence: reply.confidence,
          answered: true,
        },
      },
    ]);
    expect(await agent.sessionStore.get('s')).toMatchObject({
      escalated: false,
      counters: { messageCount: 1, answers: 1 },
      metadata: {},
    });
  });

  it('has the message stored before the answer is made', async () => {
    const reply = ask('Where is my parcel?');
    const question = await model.nextQuestion();
    expect(await transcript()).toEqual([['user', 'Where is my parcel?']]);
    expect((await agent.sessionStore.get('s'))?.messageCount).toBe(1);
    question.answer('On its way.');
    await reply;
    expect(await transcript()).toHaveLength(2);
  });

  it('streams the answer while it is made', async () => {
    const stop = new AbortController();
    let live = '';
    const watching = (async () => {
      for await (const event of sessions.subscribe('s', { after: 0, signal: stop.signal })) {
        if (event.type === 'text') live += String(event.text);
        if (event.type === 'turn.completed') return;
      }
    })();
    agent = new CustomerSupportAgent({ sessions, model: new LocalModel(), knowledge });
    const reply = await ask('How do I reset my password?');
    await watching;
    stop.abort();
    expect(live).toBe(reply.message);
  });

  it('shows the model the conversation, with the question last', async () => {
    const first = ask('Hello there');
    (await model.nextQuestion()).answer('Hi!');
    await first;
    await agent.sessionStore.appendMessages('s', [
      { role: 'tool', content: { result: 1 } },
      { role: 'operator', content: { text: 'This is Kim.' } },
    ]);
    const second = ask('What does a return cost?');
    const { request, answer } = await model.nextQuestion();
    answer('£3.00.');
    await second;
    expect(request.messages).toEqual([
      { role: 'user', text: 'Hello there' },
      { role: 'assistant', text: 'Hi!', toolCalls: [] },
      { role: 'operator', text: 'This is Kim.' },
      { role: 'user', text: 'What does a return cost?' },
    ]);
    expect(request.tools.map(({ name }) => name)).toContain('search_knowledge');
  });

  it('gives a repeat under the same key the same answer, and runs once', async () => {
    const first = ask('Hi', { idempotencyKey: 'k' });
    const repeat = ask('Hi', { idempotencyKey: 'k' });
    (await model.nextQuestion()).answer('Hello!');
    const { toolMetadata: _, ...answer } = await first;
    expect(await repeat).toMatchObject(answer);
    expect(await ask('Hi', { idempotencyKey: 'k' })).toMatchObject(answer);
    expect(model.asked).toHaveLength(1);
    expect(await transcript()).toHaveLength(2);
  });

  it('compares the client that it is told of, and an absent one too', async () => {
    const bound = new SessionManager({
      store: new InMemorySessionStore(),
      clientBinding: new Fingerprinter(),
      strictClientBinding: true,
    });
    onTestFinished(() => bound.close());
    agent = new CustomerSupportAgent({ sessions: bound, model: new LocalModel(), knowledge });
    const client = { ipAddress: '192.0.2.1', userAgent: 'curl/8.5.0' };
    await agent.getOrCreateSession({ sessionId: 'b', ...client });
    const answered = (more: ClientDetails) =>
      agent.processMessage({ sessionId: 'b', message: 'Hello', ...more });
    for (const same of [client, { ...client, ipAddress: '192.0.2.9' }, {}]) await answered(same);
    for (const other of [
      { ...client, ipAddress: '198.51.100.1' },
      { ...client, userAgent: undefined },
      { ipAddress: undefined, userAgent: undefined },
    ]) {
      await expect(answered(other)).rejects.toThrow(FingerprintMismatchError);
      const again = agent.getOrCreateSession({ sessionId: 'b', ...other });
      await expect(again).rejects.toThrow(FingerprintMismatchError);
    }
    // One that was not told of a client is bound to nobody.
    await agent.getOrCreateSession({ sessionId: 'c' });
    await agent.processMessage({ sessionId: 'c', message: 'Hello', ...client });
  });

  it('refuses another message under a key that is known', async () => {
    const first = ask('Hi', { idempotencyKey: 'k' });
    (await model.nextQuestion()).answer('Hello!');
    await first;
    await expect(ask('Bye', { idempotencyKey: 'k' })).rejects.toThrow(IdempotencyMismatchError);
    expect(await transcript()).toHaveLength(2);
  });

  it('keeps the message when the model fails, and a retry under its key adds only the answer', async () => {
    const failing = ask('Hi', { idempotencyKey: 'k' });
    (await model.nextQuestion()).fail(new RangeError('no model today'));
    await expect(failing).rejects.toThrow('no model today');
    expect(await transcript()).toEqual([['user', 'Hi']]);
    const retry = ask('Hi', { idempotencyKey: 'k' });
    const again = await model.nextQuestion();
    expect(again.request.messages).toEqual([{ role: 'user', text: 'Hi' }]);
    again.answer('Hello!');
    await retry;
    expect(await transcript()).toEqual([
      ['user', 'Hi'],
      ['assistant', 'Hello!'],
    ]);
    expect((await agent.sessionStore.get('s'))?.messageCount).toBe(1);
  });

  it('answers messages to one session one after the other, in the order of asking', async () => {
    const replies = ['one', 'two', 'three'].map((message) => ask(message));
    for (const expected of ['one', 'two', 'three']) {
      const question = await model.nextQuestion();
      expect(question.text).toBe(expected);
      question.answer(`answer ${expected}`);
    }
    await Promise.all(replies);
    expect(await transcript()).toEqual(
      ['one', 'two', 'three'].flatMap((text) => [
        ['user', text],
        ['assistant', `answer ${text}`],
      ]),
    );
  });

  it('goes on answering while a person is awaited, and says so', async () => {
    await agent.sessionStore.update('s', { escalated: true });
    const reply = ask('What does a return cost?');
    (await model.nextQuestion()).answer('£3.00.');
    expect(await reply).toMatchObject({ message: '£3.00.', requiresEscalation: true });
    const [, answer] = await agent.sessionStore.messages('s');
    expect(answer?.content).toMatchObject({ requires_escalation: true });
  });

  it('stores the message and asks no model when a person has the conversation', async () => {
    await agent.sessionStore.update('s', { status: 'handed_over' });
    expect(await ask('Are you there?')).toMatchObject({
      message: '',
      sources: [],
      requiresEscalation: true,
      toolsUsed: [],
    });
    expect(model.asked).toHaveLength(0);
    expect(await transcript()).toEqual([['user', 'Are you there?']]);
    expect((await agent.sessionStore.get('s'))?.counters).toEqual({ messageCount: 1 });
  });

  it('refuses a message to a closed session and stores nothing', async () => {
    await agent.sessionStore.update('s', { status: 'closed' });
    await expect(ask('Hello?')).rejects.toThrow(SessionGoneError);
    expect(await transcript()).toEqual([]);
  });

  it.each([
    ['empty', ''],
    ['only spaces', ' \t\n\u3000'],
    ['only invisible characters', '\u200b\u0000'],
    ['over 16 KB', 'x'.repeat(16 * 1024 + 1)],
    ['over 16 KB as UTF-8', 'é'.repeat(8 * 1024 + 1)],
    ['10,000 combining marks, which are 20,001 bytes', `e${'\u0301'.repeat(10_000)}`],
  ])('refuses a message that is %s and stores nothing', async (_, message) => {
    await expect(ask(message)).rejects.toThrow(ValidationError);
    expect(await transcript()).toEqual([]);
    expect((await agent.sessionStore.get('s'))?.messageCount).toBe(0);
  });

  it.each([
    ['16 KB', 'é'.repeat(8 * 1024)],
    ['one endless word', 'x'.repeat(16 * 1024)],
    ['emoji', '👩🏽‍🚀🥾'],
    ['right-to-left text', 'أين طلبي؟'],
    ['8,191 combining marks, as many as fit', `e${'\u0301'.repeat(8_191)}`],
    ['half a surrogate pair', 'a\ud800'],
  ])('answers a message of %s', async (_, message) => {
    agent = new CustomerSupportAgent({ sessions, model: new LocalModel(), knowledge });
    expect((await ask(message)).message).not.toBe('');
    expect((await transcript())[0]).toEqual(['user', message]);
  });

  it('checks a token and a user when they are given', async () => {
    const { session, token } = await sessions.create({ userId: 'kim' });
    const sessionId = session.id;
    agent = new CustomerSupportAgent({ sessions, model: new LocalModel(), knowledge });
    const message = 'human please';
    await expect(agent.processMessage({ sessionId, message, token })).resolves.toMatchObject({
      requiresEscalation: true,
    });
    await expect(ask(message, { token })).rejects.toThrow(InvalidTokenError);
    await expect(agent.processMessage({ sessionId, message, userId: 'eve' })).rejects.toThrow(
      SessionNotFoundError,
    );
  });

  it('gives up a turn whose signal aborts, and keeps the message', async () => {
    const gone = new AbortController();
    const reply = agent.processMessage({ sessionId: 's', message: 'Hi', signal: gone.signal });
    const { request } = await model.nextQuestion();
    gone.abort(new DOMException('left', 'AbortError'));
    await expect(reply).rejects.toThrow('left');
    expect(request.signal.aborted).toBe(true);
    expect(await transcript()).toEqual([['user', 'Hi']]);
  });

  it('refuses an unknown session', async () => {
    await expect(agent.processMessage({ sessionId: 'nobody', message: 'Hi' })).rejects.toThrow(
      SessionNotFoundError,
    );
  });

  it('is idle when no message is being answered', async () => {
    const reply = ask('Hi');
    const question = await model.nextQuestion();
    const order: string[] = [];
    const idle = agent.idle().then(() => order.push('idle'));
    void reply.then(() => order.push('answered'));
    question.answer('Hello!');
    await idle;
    expect(order).toEqual(['answered', 'idle']);
  });
});
