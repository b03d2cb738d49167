import { describe, expect, it } from 'vitest';
import { readAnswer, readHistory, readSession, readTurnEvent } from './wire.ts';

describe('readHistory', () => {
  it('reads content as an object and as a plain string, in the order given', () => {
    const history = readHistory({
      messages: [
        { seq: 1, role: 'user', content: { text: 'Hello' }, created_at: '2026-01-01T00:00:00Z' },
        { seq: 2, role: 'assistant', content: 'Hi there' },
        { seq: 3, role: 'user', content: 'A refund?' },
        {
          seq: 4,
          role: 'assistant',
          content: {
            text: 'Within 30 days.',
            sources: [{ id: 'refunds', title: 'Refunds', heading: 'How long it takes' }],
            confidence: 0.8,
          },
        },
      ],
      next_before: 1,
    });
    expect(history?.before).toBe(1);
    expect(history?.messages.map(({ seq, role, text }) => [seq, role, text])).toEqual([
      [1, 'user', 'Hello'],
      [2, 'assistant', 'Hi there'],
      [3, 'user', 'A refund?'],
      [4, 'assistant', 'Within 30 days.'],
    ]);
    expect(history?.messages[0]?.at).toBe(Date.UTC(2026, 0, 1));
    expect(history?.messages[3]?.sources).toEqual([
      { title: 'Refunds', heading: 'How long it takes', url: '' },
    ]);
  });

  it('leaves out what a customer must not see and what cannot be read', () => {
    const history = readHistory({
      messages: [
        { seq: 1, role: 'system', content: 'secret' },
        { seq: 2, role: 'tool', content: { text: 'secret' } },
        { seq: 2, role: 'assistant', content: { text: '', tool_calls: [{ name: 'search' }] } },
        { seq: 3, role: 'assistant', content: null },
        { seq: '4', role: 'user', content: 'no number' },
        null,
        { seq: 5, role: 'operator', content: 'A person here' },
      ],
    });
    expect(history?.messages.map(({ seq }) => seq)).toEqual([5]);
  });

  it('is null for anything that is not a history', () => {
    for (const body of [undefined, null, 'page', [], {}, { messages: 'none' }]) {
      expect(readHistory(body)).toBeNull();
    }
  });
});

describe('readAnswer', () => {
  it('reads the reply to a message', () => {
    const ticket = { id: 'T-42', reason: 'asked', from_seq: 1, to_seq: 3 };
    const body = { message: 'Yes', sources: [], requires_escalation: true, metadata: { ticket } };
    expect(readAnswer(body)).toEqual({
      text: 'Yes',
      sources: [],
      escalated: true,
      ticket: { id: 'T-42', reason: 'asked' },
    });
  });

  it('is null without a message', () => {
    expect(readAnswer({ sources: [] })).toBeNull();
    expect(readAnswer(undefined)).toBeNull();
  });

  it('keeps only addresses that lead to a web page', () => {
    const urls = [
      'https://example.com/a',
      '/help/a',
      '//example.com',
      '/\\example.com',
      'javascript:alert(1)',
      'data:text/html,x',
    ];
    const sources = urls.map((url, index) => ({ title: `Article ${index}`, url }));
    const kept = readAnswer({ message: 'x', sources })?.sources.map(({ url }) => url);
    expect(kept).toEqual(['https://example.com/a', '/help/a', '', '', '', '']);
  });

  it('names a source once, and not twice in one line', () => {
    const sources = [
      { title: 'Refunds', heading: 'Refunds' },
      { title: 'Refunds', heading: 'Refunds' },
      { title: 'Refunds', heading: 'Partial refunds' },
      { heading: 'no title' },
    ];
    expect(readAnswer({ message: 'x', sources })?.sources).toEqual([
      { title: 'Refunds', heading: '', url: '' },
      { title: 'Refunds', heading: 'Partial refunds', url: '' },
    ]);
  });
});

describe('readSession', () => {
  it('finds the newest ticket in the metadata, whatever else is there', () => {
    const tickets = [{ id: 'T-1', reason: 'asked' }, 'torn', { id: 'T-2', reason: 'angry' }];
    const session = { session_id: 's-1', status: 'handed_over', escalated: true, version: 7 };
    expect(readSession({ ...session, metadata: { plan: 'pro', support: { tickets } } })).toEqual({
      status: 'handed_over',
      escalated: true,
      ticket: { id: 'T-2', reason: 'angry' },
      version: 7,
    });
    for (const metadata of [null, { support: 'mine' }, { support: { tickets: { id: 'T-1' } } }]) {
      expect(readSession({ ...session, metadata })?.ticket).toBeNull();
    }
  });

  it('is null for anything that is not a session', () => {
    for (const body of [undefined, [], {}, { session_id: 7 }]) expect(readSession(body)).toBeNull();
  });
});

describe('readTurnEvent', () => {
  const place = { seq: 3, turn_id: '7', created_at: '2026-01-01T00:00:00Z' };

  it('reads the pieces of a turn, and passes what it does not know as such', () => {
    const part = (event: object) => readTurnEvent({ ...place, ...event })?.part;
    expect(part({ type: 'text', text: 'Hi' })).toEqual({ type: 'text', text: 'Hi' });
    expect(part({ type: 'tool', name: 'search' })).toEqual({ type: 'tool' });
    expect(part({ type: 'turn.started', attempt: 2 })).toEqual({ type: 'started' });
    expect(part({ type: 'turn.completed' })).toEqual({ type: 'completed' });
    expect(part({ type: 'answer', requires_escalation: true, sources: 'none' })).toEqual({
      type: 'answer',
      details: { sources: [], escalated: true, ticket: null },
    });
    expect(part({ type: 'mood' })).toEqual({ type: 'unknown' });
  });

  it('is null for what has no place in a turn', () => {
    expect(readTurnEvent({ ...place, seq: '3', type: 'text' })).toBeNull();
    expect(readTurnEvent({ type: 'text', text: 'Hi' })).toBeNull();
    expect(readTurnEvent(undefined)).toBeNull();
  });
});
