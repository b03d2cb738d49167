import { describe, expect, it } from 'vitest';
import { openTicket, readSupport } from './support-record.ts';

const ticket = {
  id: 'T-0123ABCD',
  reason: 'anger',
  from_seq: 1,
  to_seq: 3,
  created_at: '2030-01-01T00:00:00.000Z',
} as const;

const nothing = {
  facts: { email: null, phone: null, orderNumbers: [], ticketNumbers: [] },
  tickets: [],
};

describe('readSupport', () => {
  it.each([
    {},
    { support: null },
    { support: 'mine' },
    { support: [] },
    { support: { facts: 1, tickets: 'none' } },
    { support: { facts: { email: 7, phone: {}, order_numbers: 'x', ticket_numbers: [1, null] } } },
    { support: { facts: { email: 'x'.repeat(255), order_numbers: ['x'.repeat(41), ''] } } },
    { support: { tickets: [null, { ...ticket, id: 'T-<b>' }, { ...ticket, reason: 'spite' }] } },
    {
      support: {
        tickets: [
          { ...ticket, from_seq: 0 },
          { ...ticket, created_at: 'now' },
        ],
      },
    },
  ])('takes what does not parse for absent: %j', (metadata) => {
    expect(readSupport(metadata)).toEqual(nothing);
  });

  it('keeps what parses beside what does not', () => {
    const facts = { email: 'kim@example.com', phone: 5, order_numbers: ['FF-1', 2, 'FF-2'] };
    expect(readSupport({ support: { facts, tickets: ['no', ticket] } })).toEqual({
      facts: { ...nothing.facts, email: 'kim@example.com', orderNumbers: ['FF-1', 'FF-2'] },
      tickets: [ticket],
    });
  });
});

describe('openTicket', () => {
  const metadata = { support: { tickets: [{ ...ticket, id: 'T-00000000' }, ticket] } };

  it('is the newest one of a session that waits for a person', () => {
    expect(openTicket({ escalated: true, metadata })).toEqual(ticket);
  });

  it('is none once the session does not wait any more, or has no ticket', () => {
    expect(openTicket({ escalated: false, metadata })).toBeNull();
    expect(openTicket({ escalated: true, metadata: {} })).toBeNull();
  });
});
