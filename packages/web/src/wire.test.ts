import { describe, expect, it } from 'vitest';
import { readAnswer, readHistory } from './wire.ts';

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
    });
    expect(history?.map(({ seq, role, text }) => [seq, role, text])).toEqual([
      [1, 'user', 'Hello'],
      [2, 'assistant', 'Hi there'],
      [3, 'user', 'A refund?'],
      [4, 'assistant', 'Within 30 days.'],
    ]);
    expect(history?.[3]?.sources).toEqual([
      { title: 'Refunds', heading: 'How long it takes', url: '' },
    ]);
  });

  it('leaves out what a customer must not see and what cannot be read', () => {
    const history = readHistory({
      messages: [
        { seq: 1, role: 'system', content: 'secret' },
        { seq: 2, role: 'tool', content: { text: 'secret' } },
        { seq: 3, role: 'assistant', content: null },
        { seq: '4', role: 'user', content: 'no number' },
        null,
        { seq: 5, role: 'operator', content: 'A person here' },
      ],
    });
    expect(history?.map(({ seq }) => seq)).toEqual([5]);
  });

  it('is null for anything that is not a history', () => {
    for (const body of [undefined, null, 'page', [], {}, { messages: 'none' }]) {
      expect(readHistory(body)).toBeNull();
    }
  });
});

describe('readAnswer', () => {
  it('reads the reply to a message', () => {
    const body = { message: 'Yes', sources: [], requires_escalation: true, confidence: 0.2 };
    expect(readAnswer(body)).toEqual({ text: 'Yes', sources: [], escalated: true });
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
