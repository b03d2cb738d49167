import { useEffect, useRef, useState } from 'preact/hooks';
import type { Kept } from '../storage.ts';
import { Composer } from './components/composer.tsx';
import { EndDialog } from './components/end-dialog.tsx';
import { Header } from './components/header.tsx';
import { Log } from './components/log.tsx';
import { StatusLine } from './components/status-line.tsx';
import type { Conversation } from './conversation.ts';

interface AppProps {
  conversation: Conversation;
  /** What is being written. */
  draft: Kept;
}

export function App({ conversation, draft }: AppProps) {
  const [state, setState] = useState(conversation.state);
  const [ending, setEnding] = useState(false);
  const log = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLTextAreaElement>(null);
  useEffect(() => conversation.subscribe(setState), [conversation]);

  /** For buttons that vanish once pressed: the focus goes where one reads on, instead of being lost. */
  function act(work: () => Promise<void>) {
    log.current?.focus({ preventScroll: true });
    void work();
  }

  function startNew() {
    conversation.startNew();
    input.current?.focus();
  }

  function end() {
    input.current?.focus();
    void conversation.end();
  }

  return (
    <div class="page">
      <a class="skip" href="#message">
        Skip to your message
      </a>
      <Header
        open={state.open}
        ending={state.ending}
        begun={state.open || state.entries.length > 0}
        onNew={startNew}
        onEnd={() => setEnding(true)}
      />
      <main class="main">
        <Log
          entries={state.entries}
          loading={state.loading}
          scroller={log}
          onRetry={(id) => act(() => conversation.retry(id))}
          onReload={() => act(() => conversation.load())}
          onEarlier={() => act(() => conversation.loadEarlier())}
          onAsk={(text) => {
            input.current?.focus();
            void conversation.send(text);
          }}
        />
        <StatusLine status={state.status} ticket={state.ticket} ending={state.ending} />
        <Composer input={input} draft={draft} onSend={(text) => void conversation.send(text)} />
      </main>
      <EndDialog open={ending} onEnd={end} onClose={() => setEnding(false)} />
    </div>
  );
}
