import { SpokenText } from '../../components/spoken-text.tsx';
import { timeLabel } from '../../time-label.ts';
import type { MessageEntry } from '../entries.ts';
import { Sources } from './sources.tsx';
import { TicketCard } from './ticket-card.tsx';

interface MessageProps {
  entry: MessageEntry;
  /** The one before it was somebody else's. */
  first: boolean;
  onRetry: (id: string) => void;
}

const SPEAKER = { user: 'You', assistant: 'Assistant', operator: 'Our team' } as const;

/** All text is rendered as text: what a customer or an article says is never markup. */
export function Message({ entry, first, onRetry }: MessageProps) {
  const { role, text, at, delivery, escalated, ticket, sources } = entry;
  const speaker = SPEAKER[role];
  const headed = first && role !== 'user';
  return (
    <div class={`said by-${role} ${delivery}`}>
      {headed && (
        <p class="speaker">
          {speaker}
          {at !== null && <time dateTime={new Date(at).toISOString()}>{timeLabel(at)}</time>}
        </p>
      )}
      <div class="bubble" data-role={role}>
        {!headed && <span class="visually-hidden">{speaker}: </span>}
        <SpokenText text={text} />
        {sources.length > 0 && <Sources sources={sources} />}
      </div>
      {ticket !== null && <TicketCard ticket={ticket} />}
      {escalated && ticket === null && <p class="aside">Passed on to our team.</p>}
      {delivery === 'failed' && <Failure entry={entry} onRetry={onRetry} />}
    </div>
  );
}

function Failure({ entry: { id, reason }, onRetry }: Omit<MessageProps, 'first'>) {
  const reasonId = `reason-${id}`;
  return (
    <div class="failure">
      <p id={reasonId}>{reason}</p>
      <button type="button" class="quiet" aria-describedby={reasonId} onClick={() => onRetry(id)}>
        Retry
      </button>
    </div>
  );
}
