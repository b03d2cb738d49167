import type { RefObject } from 'preact';
import { useLayoutEffect } from 'preact/hooks';
import type { Entry, NoticeEntry } from '../entries.ts';
import { Message } from './message.tsx';

interface LogProps {
  entries: Entry[];
  loading: boolean;
  scroller: RefObject<HTMLDivElement>;
  onRetry: (id: string) => void;
  onReload: () => void;
}

export function Log({ entries, loading, scroller, onRetry, onReload }: LogProps) {
  const waiting = entries.some((entry) => entry.kind === 'message' && entry.delivery === 'sending');
  const blank = !loading && !entries.some((entry) => entry.kind === 'message' || entry.incomplete);
  const newest = entries.at(-1)?.id;
  useLayoutEffect(() => showNewest(scroller.current), [scroller, newest, waiting]);

  return (
    <div
      class="log"
      role="log"
      aria-live="polite"
      aria-label="Conversation"
      aria-busy={loading}
      ref={scroller}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
    >
      <div class="column">
        {blank && <Welcome />}
        {entries.map((entry) =>
          entry.kind === 'message' ? (
            <Message key={entry.id} entry={entry} onRetry={onRetry} />
          ) : (
            <Notice key={entry.id} entry={entry} onReload={onReload} />
          ),
        )}
        {waiting && <Typing />}
      </div>
    </div>
  );
}

function Welcome() {
  return (
    <div class="welcome">
      <h2>How can we help?</h2>
      <p>Ask in your own words. Answers come from our help articles and name the ones they used.</p>
    </div>
  );
}

function Notice({ entry, onReload }: { entry: NoticeEntry; onReload: () => void }) {
  return (
    <div class="notice">
      <p>{entry.text}</p>
      {entry.incomplete && (
        <button type="button" class="quiet" onClick={onReload}>
          Check again
        </button>
      )}
    </div>
  );
}

function Typing() {
  return (
    <div class="typing">
      <span class="visually-hidden">Support is writing an answer.</span>
      <i />
      <i />
      <i />
    </div>
  );
}

/** Down to the end, but never past the beginning of a last message that is taller than the view. */
function showNewest(log: HTMLDivElement | null): void {
  const last = log?.querySelector('.column > :last-child');
  if (!log || !last) return;
  log.scrollTop = 0; // the end: the log is laid out in reverse
  const hidden = log.getBoundingClientRect().top + 16 - last.getBoundingClientRect().top;
  if (hidden > 0) log.scrollTop -= hidden;
}
