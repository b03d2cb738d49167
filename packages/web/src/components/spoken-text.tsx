import { Fragment } from 'preact';
import { splitTickets } from '../ticket-ids.ts';

/** What somebody said, as text and never as markup, with the ids of tickets in one piece. */
export function SpokenText({ text }: { text: string }) {
  return (
    <p class="text">
      {splitTickets(text).map(({ at, part, isTicket }) =>
        isTicket ? (
          <span key={at} class="ticket-id">
            {part}
          </span>
        ) : (
          <Fragment key={at}>{part}</Fragment>
        ),
      )}
    </p>
  );
}
