import type { MessageEntry } from '../entries.ts';
import type { Source } from '../wire.ts';

interface MessageProps {
  entry: MessageEntry;
  onRetry: (id: string) => void;
}

const SPEAKER = { user: 'You', assistant: 'Support', operator: 'Support team' } as const;

/** All text is rendered as text: what a customer or an article says is never markup. */
export function Message({ entry, onRetry }: MessageProps) {
  const reasonId = `reason-${entry.id}`;
  return (
    <div class={`message ${entry.delivery}`} data-role={entry.role}>
      <span class="visually-hidden">{SPEAKER[entry.role]}: </span>
      <p class="text">{entry.text}</p>
      {entry.escalated && <p class="escalated">Passed on to our support team.</p>}
      {entry.sources.length > 0 && <Sources sources={entry.sources} />}
      {entry.delivery === 'failed' && (
        <div class="failure">
          <p id={reasonId}>{entry.reason}</p>
          <button
            type="button"
            class="quiet"
            aria-describedby={reasonId}
            onClick={() => onRetry(entry.id)}
          >
            Retry
          </button>
        </div>
      )}
    </div>
  );
}

function Sources({ sources }: { sources: Source[] }) {
  return (
    <div class="sources">
      <p class="label">{sources.length === 1 ? 'Source' : 'Sources'}</p>
      <ul>
        {sources.map(({ title, heading, url }) => (
          <li key={`${title}\n${heading}`}>
            {url === '' ? (
              <cite>{title}</cite>
            ) : (
              <a href={url} target="_blank" rel="noopener noreferrer">
                <cite>{title}</cite>
              </a>
            )}
            {heading !== '' && <span>, {heading}</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}
