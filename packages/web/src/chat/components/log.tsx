import type { RefObject } from 'preact';
import type { Entry, MessageEntry } from '../entries.ts';
import { Draft } from './draft.tsx';
import { Message } from './message.tsx';
import { Notice } from './notice.tsx';
import { useFollowNewest } from './use-follow-newest.ts';
import { Welcome } from './welcome.tsx';

interface LogProps {
  entries: readonly Entry[];
  loading: boolean;
  scroller: RefObject<HTMLDivElement>;
  onRetry: (id: string) => void;
  onReload: () => void;
  onEarlier: () => void;
  onAsk: (text: string) => void;
}

export function Log({ entries, loading, scroller, ...on }: LogProps) {
  const writing = entries.some((entry) => entry.kind === 'draft' && entry.stage !== 'cut');
  const blank =
    !loading && entries.every((entry) => entry.kind === 'notice' && entry.action === null);
  useFollowNewest(scroller, entries);

  return (
    <>
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
          {loading && entries.length === 0 && <p class="loading">Loading your conversation…</p>}
          {blank && <Welcome onAsk={on.onAsk} />}
          {entries.map((entry, index) => {
            if (entry.kind === 'draft') return <Draft key={entry.id} entry={entry} />;
            if (entry.kind === 'notice')
              return <Notice key={entry.id} entry={entry} loading={loading} {...on} />;
            const first = isFirstOfSpeaker(entry, entries[index - 1]);
            return <Message key={entry.id} entry={entry} first={first} onRetry={on.onRetry} />;
          })}
        </div>
      </div>
      {/* Said once for each answer; the pieces themselves are read to nobody. */}
      <p class="visually-hidden" role="status">
        {writing && 'An answer is being written.'}
      </p>
    </>
  );
}

/** Who speaks is said once for what is said in a row. */
function isFirstOfSpeaker(entry: MessageEntry, before: Entry | undefined): boolean {
  return before?.kind !== 'message' || before.role !== entry.role;
}
