import { timeLabel } from '../../time-label.ts';
import type { SessionRow } from '../wire.ts';
import { reasonLabel } from '../wording.ts';

/** What is known of the customer, and what was passed on. */
export function About({ session }: { session: SessionRow }) {
  const { id, userId, facts, ticket: open, tickets, createdAt } = session;
  const known: readonly (readonly [string, string])[] = [
    ['Email', facts.email],
    ['Phone', facts.phone],
    ['Orders', facts.orders.join(', ')],
    ['Tickets named', facts.tickets.join(', ')],
    ['User', userId],
    ['Began', createdAt === null ? '' : timeLabel(createdAt)],
  ];
  return (
    <aside class="about" aria-label="About the customer">
      {tickets.length > 0 && (
        <ul class="tickets" aria-label="Tickets">
          {tickets.map((ticket) => (
            <li key={ticket.id}>
              <span class="code ticket-id">{ticket.id}</span> {reasonLabel(ticket)}
              {ticket.id === open?.id && ' (open)'}
            </li>
          ))}
        </ul>
      )}
      <dl>
        {known
          .filter(([, value]) => value !== '')
          .map(([label, value]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        <div>
          <dt>Session</dt>
          <dd class="code">{id}</dd>
        </div>
      </dl>
    </aside>
  );
}
