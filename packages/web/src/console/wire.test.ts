import { describe, expect, it } from 'vitest';
import { readPage, readRow, readTranscript, withResults } from './wire.ts';

describe('readRow', () => {
  it('finds facts and tickets in the agent’s corner of the metadata', () => {
    const facts = { email: 'kari@example.org', order_numbers: ['FF-1', 7], phone: null };
    const tickets = [{ id: 'T-1', reason: 'asked_for' }];
    const metadata = { plan: 'pro', support: { facts, tickets } };
    expect(readRow({ session_id: 's-1', metadata })).toMatchObject({
      facts: { email: 'kari@example.org', phone: '', orders: ['FF-1'], tickets: [] },
      tickets: [{ id: 'T-1', reason: 'asked_for' }],
    });
  });

  it('believes nothing that a customer may have put there', () => {
    for (const metadata of [{ support: 'x' }, { support: { facts: [], tickets: 'x' } }, null]) {
      expect(readRow({ session_id: 's-1', metadata })).toMatchObject({
        facts: { email: '', orders: [] },
        tickets: [],
      });
    }
  });
});

describe('readPage', () => {
  it('is null for anything that is not a page', () => {
    for (const body of [undefined, [], { sessions: 'none' }]) expect(readPage(body)).toBeNull();
    expect(readPage({ sessions: [{}], next_cursor: null })).toEqual({
      sessions: [],
      unreadable: [],
      next: null,
    });
  });

  it('names what cannot be read, as long as it has a name', () => {
    const unreadable = [{ session_id: 's-1', code: 'DECRYPTION' }, {}, null, { session_id: 7 }];
    expect(readPage({ sessions: [], unreadable })?.unreadable).toEqual(['s-1']);
    expect(readPage({ sessions: [], unreadable: 'none' })?.unreadable).toEqual([]);
  });
});

describe('a transcript', () => {
  const messages = [
    { seq: 1, role: 'user', content: { text: 'Delivery?' } },
    {
      seq: 2,
      role: 'assistant',
      content: { text: '', tool_calls: [{ id: 'c-1', name: 'search', input: { query: 'x' } }] },
    },
    { seq: 3, role: 'tool', content: { tool_call_id: 'c-1', name: 'search', result: [1] } },
    { seq: 4, role: 'assistant', content: { text: 'Two days.', confidence: 0.8, answered: true } },
    { seq: 5, role: 'operator', content: { text: 'Kari here.' } },
  ];

  it('has every message, and each call with its result in one line', () => {
    const page = readTranscript({ messages, next_before: 1 });
    expect(page?.before).toBe(1);
    expect(withResults(page?.lines ?? [])).toMatchObject([
      { kind: 'said', role: 'user', text: 'Delivery?' },
      {
        kind: 'step',
        name: 'search',
        input: expect.stringContaining('"query"'),
        result: '[\n  1\n]',
      },
      { kind: 'said', role: 'assistant', text: 'Two days.', confidence: 0.8 },
      { kind: 'said', role: 'operator', text: 'Kari here.' },
    ]);
  });

  it('keeps a result whose call is on an earlier page', () => {
    const page = readTranscript({ messages: messages.slice(2), next_before: 3 });
    expect(withResults(page?.lines ?? [])[0]).toMatchObject({
      kind: 'step',
      input: null,
      name: 'search',
    });
  });
});
