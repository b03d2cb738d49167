import { type JsonValue, type SessionManager, StoreUnavailableError } from 'holdfast';
import { createTestSessions } from 'holdfast/testing';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { ModelPart } from '../model/model.ts';
import { all } from '../testing/all.ts';
import { ScriptedModel, type ScriptedRound } from '../testing/scripted-model.ts';
import { defineTool } from '../tools/tool.ts';
import { CustomerSupportAgent } from './customer-support-agent.ts';

const sessionId = 's';
let sessions: SessionManager;
/** What the tools were asked to do, in order. */
let done: string[];

beforeEach(async () => {
  sessions = createTestSessions();
  onTestFinished(() => sessions.close());
  await sessions.getOrCreate({ sessionId });
  done = [];
});

const tools = [
  defineTool({
    name: 'note',
    description: 'Notes.',
    input: z.strictObject({ text: z.string().min(1) }),
    run({ text }, { turn }) {
      done.push(text);
      turn.update({ metadata: { [text]: true } });
      return { noted: text };
    },
  }),
  defineTool({
    name: 'fail',
    description: 'Fails.',
    input: z.strictObject({}),
    run: () => Promise.reject(new StoreUnavailableError('No store today.')),
  }),
];

const say = (text: string): ModelPart => ({ type: 'text', text });
const call = (id: string, name: string, input: JsonValue): ModelPart => ({
  type: 'tool_call',
  call: { id, name, input },
});
const end: ModelPart = { type: 'end', sources: [], confidence: 0.8, answered: true };

function agentWith(...rounds: readonly ScriptedRound[]) {
  const model = new ScriptedModel(...rounds);
  const knowledge = { search: () => [] };
  const agent = new CustomerSupportAgent({ sessions, model, knowledge, tools });
  const ask = (more: { signal?: AbortSignal } = {}) =>
    agent.processMessage({ sessionId, message: 'Q', ...more });
  return { agent, model, ask };
}

async function stored() {
  const messages = await sessions.store.messages(sessionId);
  return messages.map(({ role, content }) => ({ role, content }));
}

const onlyTheQuestion = [{ role: 'user', content: { text: 'Q' } }];

describe('runToolLoop', () => {
  it('runs calls in order and asks again with their results, until an answer without calls', async () => {
    const { model, ask } = agentWith(
      [call('1', 'note', { text: 'a' }), call('2', 'note', { text: 'b' })],
      [call('3', 'note', { text: 'c' })],
      [say('Done'), say('.'), end],
    );
    const reply = await ask();
    expect(reply).toMatchObject({ message: 'Done.', confidence: 0.8, toolsUsed: ['note'] });
    expect(done).toEqual(['a', 'b', 'c']);
    expect(model.requests.map(({ messages }) => messages.length)).toEqual([1, 4, 6]);
    expect(model.requests[2]?.messages).toEqual([
      { role: 'user', text: 'Q' },
      {
        role: 'assistant',
        text: '',
        toolCalls: [
          { id: '1', name: 'note', input: { text: 'a' } },
          { id: '2', name: 'note', input: { text: 'b' } },
        ],
      },
      { role: 'tool', callId: '1', name: 'note', result: { noted: 'a' } },
      { role: 'tool', callId: '2', name: 'note', result: { noted: 'b' } },
      {
        role: 'assistant',
        text: '',
        toolCalls: [{ id: '3', name: 'note', input: { text: 'c' } }],
      },
      { role: 'tool', callId: '3', name: 'note', result: { noted: 'c' } },
    ]);
    expect(model.requests[0]?.tools.map(({ name }) => name)).toEqual(['note', 'fail']);
  });

  it('stores calls and results in pairs, with what they changed', async () => {
    const { ask } = agentWith([call('1', 'note', { text: 'a' })], [say('Done.'), end]);
    await ask();
    expect(await stored()).toEqual([
      ...onlyTheQuestion,
      {
        role: 'assistant',
        content: {
          text: '',
          tool_calls: [{ id: '1', name: 'note', input: { text: 'a' } }],
        },
      },
      { role: 'tool', content: { tool_call_id: '1', name: 'note', result: { noted: 'a' } } },
      {
        role: 'assistant',
        content: { text: 'Done.', sources: [], confidence: 0.8, answered: true },
      },
    ]);
    expect((await sessions.store.get(sessionId))?.metadata).toEqual({ a: true });
  });

  it('shows a later turn what the tools returned', async () => {
    const { model, ask } = agentWith(
      [call('1', 'note', { text: 'a' })],
      [say('Done.'), end],
      [say('Yes.'), end],
    );
    await ask();
    await ask();
    expect(model.requests[2]?.messages.map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'tool',
      'assistant',
      'user',
    ]);
  });

  it.each([
    ['an input that does not fit', 'note', { text: 7 }, /^The input does not fit: text: /],
    ['an unknown tool', 'refund', { all: true }, /^There is no such tool; there are note, fail\.$/],
  ])('gives the model an error for %s, and goes on', async (_, name, input, error) => {
    const { model, ask } = agentWith([call('1', name, input)], [say('Sorry.'), end]);
    expect(await ask()).toMatchObject({ message: 'Sorry.' });
    expect(done).toEqual([]);
    expect(model.requests[1]?.messages.at(-1)).toEqual({
      role: 'tool',
      callId: '1',
      name,
      result: { error: expect.stringMatching(error) },
    });
    expect(await stored()).toHaveLength(4);
  });

  it('names no tool that there is not', async () => {
    const { agent } = agentWith([call('1', 'refund', {})], [say('Sorry.'), end]);
    const { events, reply } = agent.startMessage({ sessionId, message: 'Q' });
    expect((await reply).toolsUsed).toEqual([]);
    const types = (await all(events)).map(({ type }) => type);
    expect(types).toEqual(['turn.started', 'text', 'answer', 'turn.completed']);
  });

  it('fails the turn with the store, and keeps the question', async () => {
    const { ask } = agentWith([call('1', 'note', { text: 'a' }), call('2', 'fail', {})]);
    await expect(ask()).rejects.toThrow('No store today.');
    expect(await stored()).toEqual(onlyTheQuestion);
    expect((await sessions.store.get(sessionId))?.metadata).toEqual({});
  });

  it('gives a model up that asks for tools six times', async () => {
    const round = [call('1', 'note', { text: 'again' })];
    const { model, ask } = agentWith(round, round, round, round, round, round, [say('!'), end]);
    await expect(ask()).rejects.toThrow(
      'The model "scripted" failed: it asked for tools 6 times and answered nothing.',
    );
    expect(model.requests).toHaveLength(6);
    expect(await stored()).toEqual(onlyTheQuestion);
  });

  it.each([
    ['no end', [say('Half an')], 'its answer has no end'],
    ['no text', [end], 'its answer has no text'],
    ['no visible text', [say(' \n'), end], 'its answer has no text'],
    ['a confidence of 2', [say('Sure.'), { ...end, confidence: 2 }], 'its confidence is 2'],
    ['a confidence of NaN', [say('Sure.'), { ...end, confidence: Number.NaN }], 'is NaN'],
    [
      '17 calls at once',
      Array.from({ length: 17 }, (_, index) => call(`${index}`, 'note', { text: 'x' })),
      'it made more than 16 calls at once',
    ],
  ] as [string, ModelPart[], string][])('refuses %s', async (_, parts, problem) => {
    await expect(agentWith(parts).ask()).rejects.toThrow(problem);
    expect(await stored()).toEqual(onlyTheQuestion);
    expect(done).toEqual([]);
  });

  it('streams, stores and returns the same text, also what was said before the tools ran', async () => {
    const { agent, model } = agentWith(
      [say('Let me '), say('look.'), call('1', 'note', { text: 'a' })],
      [call('2', 'note', { text: 'b' })],
      [say('Found '), say('it.'), end],
    );
    const { events, reply } = agent.startMessage({ sessionId, message: 'Q' });
    const live = (await all(events)).flatMap(({ type, text }) => (type === 'text' ? [text] : []));
    expect(live.join('')).toBe('Let me look.\n\nFound it.');
    expect((await reply).message).toBe('Let me look.\n\nFound it.');
    expect((await stored()).at(-1)?.content).toMatchObject({ text: 'Let me look.\n\nFound it.' });
    expect(model.requests[1]?.messages[1]).toMatchObject({ text: 'Let me look.' });
  });

  it('stops between two rounds when nobody may use the answer any more', async () => {
    const gone = new AbortController();
    const { model, ask } = agentWith(() => {
      gone.abort(new DOMException('left', 'AbortError'));
      return [call('1', 'note', { text: 'a' })];
    }, [say('Too late.'), end]);
    await expect(ask({ signal: gone.signal })).rejects.toThrow('left');
    expect(model.requests).toHaveLength(1);
    expect(done).toEqual([]);
    expect(await stored()).toEqual(onlyTheQuestion);
  });

  it('tells the model what the session knows', async () => {
    const { model, ask } = agentWith(
      [call('1', 'note', { text: 'support' })],
      [say('Done.'), end],
      [say('Again.'), end],
    );
    await ask();
    await ask();
    expect(model.requests.map(({ session }) => session.isFirstAnswer)).toEqual([true, true, false]);
    expect(model.requests[0]?.session).toEqual({
      clientChanges: [],
      facts: { email: null, phone: null, orderNumbers: [], ticketNumbers: [] },
      tickets: [],
      openTicket: null,
      unansweredInARow: 0,
      isFirstAnswer: true,
    });
  });
});
