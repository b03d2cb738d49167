import { useEffect, useRef, useState } from 'preact/hooks';
import { Composer } from './components/composer.tsx';
import { Log } from './components/log.tsx';
import type { Conversation } from './conversation.ts';

export function App({ conversation }: { conversation: Conversation }) {
  const [{ entries, loading, open }, setState] = useState(conversation.state);
  const log = useRef<HTMLDivElement>(null);
  useEffect(() => conversation.subscribe(setState), [conversation]);

  /** For buttons that vanish once pressed: the focus goes to the log instead of being lost. */
  function act(work: () => Promise<void>) {
    log.current?.focus({ preventScroll: true });
    void work();
  }

  return (
    <div class="page">
      <header class="bar">
        <div class="column">
          <img src="/favicon.svg" alt="" width="28" height="28" />
          <h1>Holdfast Support</h1>
          {open && (
            <button type="button" class="quiet" onClick={() => act(() => conversation.end())}>
              End conversation
            </button>
          )}
        </div>
      </header>
      <main class="main">
        <Log
          entries={entries}
          loading={loading}
          scroller={log}
          onRetry={(id) => act(() => conversation.retry(id))}
          onReload={() => act(() => conversation.load())}
        />
        <Composer onSend={(text) => void conversation.send(text)} />
      </main>
    </div>
  );
}
