import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import {
  escalationReasons,
  maxTickets,
  openTicket,
  readSupport,
  type Ticket,
  ticketIdPattern,
} from './support-record.ts';
import { defineTool } from './tool.ts';

export const escalate = defineTool({
  name: 'escalate',
  description:
    'Passes the conversation on to a person, and returns its ticket. For a customer who asks for a person, legal or safety matters, anger, or questions that stay without an answer. While a ticket is open, the same one is returned.',
  input: z.strictObject({ reason: z.enum(escalationReasons) }),
  run({ reason }, { turn, clock, lastCustomerSeq }) {
    const open = openTicket(turn.current);
    if (open !== null) {
      // Who is told that it is open waits for a person, also if an operator closes it meanwhile.
      turn.update({ escalated: true });
      return { ticket: open, is_new: false };
    }
    const { tickets } = readSupport(turn.current.metadata);
    const ticket: Ticket = {
      id: newTicketId(),
      reason,
      // An earlier ticket has had its part of the conversation.
      from_seq: Math.min((tickets.at(-1)?.to_seq ?? 0) + 1, lastCustomerSeq),
      to_seq: lastCustomerSeq,
      created_at: new Date(clock.now()).toISOString(),
    };
    turn.update({
      escalated: true,
      metadata: { support: { tickets: [...tickets, ticket].slice(-maxTickets) } },
    });
    turn.increment('escalations');
    return { ticket, is_new: true };
  },
});

/** What the tool returns. */
export const escalateResult = z.object({
  ticket: z.object({ id: z.string().regex(ticketIdPattern), reason: z.enum(escalationReasons) }),
  is_new: z.boolean(),
});

const base32 = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

function newTicketId(): string {
  return `T-${Array.from(randomBytes(8), (byte) => base32[byte % 32]).join('')}`;
}
