import { PersonIcon } from '../../components/icons.tsx';
import type { Status, Ticket } from '../../wire.ts';

interface StatusLineProps {
  status: Status;
  ticket: Ticket | null;
  ending: boolean;
}

/** Who answers, when it is not the assistant. */
export function StatusLine({ status, ticket, ending }: StatusLineProps) {
  return (
    <div class="column" role="status">
      {/* Others see it on the button. */}
      {ending && <p class="visually-hidden">The chat is being ended.</p>}
      {status === 'handed_over' && (
        <p class="status-line">
          <PersonIcon />
          <span>
            <strong>Our team answers here now.</strong> The assistant stays quiet.
            {ticket !== null && (
              <>
                {' '}
                Ticket <span class="code ticket-id">{ticket.id}</span>
              </>
            )}
          </span>
        </p>
      )}
      {status === 'closed' && (
        <p class="status-line">
          <span>
            <strong>Our team has closed this conversation.</strong> Your next message starts a new
            one.
          </span>
        </p>
      )}
    </div>
  );
}
