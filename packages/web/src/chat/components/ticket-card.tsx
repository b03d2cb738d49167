import { PersonIcon } from '../../components/icons.tsx';
import type { Ticket } from '../../wire.ts';

/** That the conversation was passed on, under which ticket, and what happens next. */
export function TicketCard({ ticket }: { ticket: Ticket }) {
  return (
    <section class="ticket" data-ticket={ticket.id} aria-label={`Ticket ${ticket.id}`}>
      <header>
        <PersonIcon />
        <h2>Passed on to our team</h2>
        <p class="code ticket-id">{ticket.id}</p>
      </header>
      <ol>
        <li>One of us reads this conversation, so you need not explain it again.</li>
        <li>
          The answer comes right here, Monday to Friday 8:00–18:00 and Saturday 9:00–13:00 (UK
          time). You can close this page and come back to it.
        </li>
        <li>
          Until then you can keep writing, or name the ticket when you call{' '}
          <span class="phone">0131 496 0142</span>.
        </li>
      </ol>
    </section>
  );
}
