import type { Message, MessageRole } from 'holdfast';
import { describe, expect, it } from 'vitest';
import { countUnanswered, lastCustomerSeq, modelMessages } from './conversation.ts';

type Stored = readonly [role: MessageRole, content: Message['content']];

function history(...stored: readonly Stored[]): Message[] {
  return stored.map(([role, content], index) => ({
    id: `m${index + 1}`,
    seq: index + 1,
    role,
    content,
    createdAt: 0,
  }));
}

const user = (text: string): Stored => ['user', { text }];
const answer = (text: string, answered = true): Stored => ['assistant', { text, answered }];
const operator = (text: string): Stored => ['operator', { text }];
const calls = (...ids: string[]): Stored => [
  'assistant',
  { text: '', tool_calls: ids.map((id) => ({ id, name: 'look', input: { id } })) },
];
const result = (id: string): Stored => ['tool', { tool_call_id: id, name: 'look', result: id }];

describe('modelMessages', () => {
  it('has what was said, and the tools’ calls with their results', () => {
    const stored = history(
      user('Hi'),
      calls('1', '2'),
      result('1'),
      result('2'),
      answer('Hello!'),
      operator('Kim here.'),
      user('And now?'),
    );
    expect(modelMessages(stored, 'And now?')).toEqual([
      { role: 'user', text: 'Hi' },
      {
        role: 'assistant',
        text: '',
        toolCalls: [
          { id: '1', name: 'look', input: { id: '1' } },
          { id: '2', name: 'look', input: { id: '2' } },
        ],
      },
      { role: 'tool', callId: '1', name: 'look', result: '1' },
      { role: 'tool', callId: '2', name: 'look', result: '2' },
      { role: 'assistant', text: 'Hello!', toolCalls: [] },
      { role: 'operator', text: 'Kim here.' },
      { role: 'user', text: 'And now?' },
    ]);
  });

  it.each([
    ['a call without a result', [calls('1'), answer('A')]],
    ['a call with some of its results', [calls('1', '2'), result('2'), answer('A')]],
    ['results without their call', [result('1'), result('2'), answer('A')]],
    ['a result behind another message', [calls('1'), answer('A'), result('1')]],
    ['messages of another kind', [['system', { text: 'x' }], ['user', 'x'], answer('A')]],
  ] as [string, Stored[]][])('leaves out %s', (_, stored) => {
    const messages = modelMessages(history(...stored, user('Q')), 'Q');
    expect(messages).toEqual([
      { role: 'assistant', text: 'A', toolCalls: [] },
      { role: 'user', text: 'Q' },
    ]);
  });

  it('puts the question of a retry last, although others came after it', () => {
    const stored = history(user('first'), user('second'), answer('to the second'));
    expect(modelMessages(stored, 'first')).toEqual([
      { role: 'user', text: 'second' },
      { role: 'assistant', text: 'to the second', toolCalls: [] },
      { role: 'user', text: 'first' },
    ]);
  });

  it('takes only the newest of questions that are alike for the question', () => {
    const stored = history(user('again'), answer('A'), user('again'));
    expect(modelMessages(stored, 'again').map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'user',
    ]);
  });

  it('is the newest twenty that were said, with the calls among them', () => {
    const turns = Array.from({ length: 15 }, (_, index): Stored[] => [
      user(`q${index}`),
      calls(`c${index}`),
      result(`c${index}`),
      answer(`a${index}`),
    ]);
    const messages = modelMessages(history(...turns.flat(), user('Q')), 'Q');
    const said = messages.filter((message) => message.role !== 'tool' && message.text !== '');
    expect(said).toHaveLength(20);
    expect(messages[0]).toEqual({ role: 'assistant', text: 'a5', toolCalls: [] });
    expect(messages.filter(({ role }) => role === 'tool')).toHaveLength(9);
    expect(messages.at(-1)).toEqual({ role: 'user', text: 'Q' });
  });
});

describe('countUnanswered', () => {
  it.each([
    [0, []],
    [0, [user('a')]],
    [0, [user('a'), answer('A')]],
    [1, [user('a'), answer('A', false), user('b')]],
    [2, [answer('A'), answer('B', false), calls('1'), result('1'), answer('C', false), user('d')]],
    [0, [answer('A', false), answer('B', false), answer('C')]],
    [0, [answer('A', false), answer('B', false), operator('Kim here.')]],
    [1, [answer('A', false), ['assistant', { text: 'of another version' }], answer('C', false)]],
  ] as [number, Stored[]][])('is %i', (count, stored) => {
    expect(countUnanswered(history(...stored))).toBe(count);
  });
});

describe('lastCustomerSeq', () => {
  it('is that of the newest message that the customer wrote', () => {
    expect(lastCustomerSeq(history(user('a'), answer('A'), user('b'), operator('C')))).toBe(3);
  });

  it('is that of the newest message where others have taken the place of the customer’s', () => {
    const kept = history(user('a'), operator('B'), operator('C')).slice(1);
    expect(lastCustomerSeq(kept)).toBe(3);
  });
});
