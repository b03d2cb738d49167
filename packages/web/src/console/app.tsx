import { useEffect, useRef, useState } from 'preact/hooks';
import { Mark } from '../components/brand.tsx';
import { LeaveIcon } from '../components/icons.tsx';
import type { Kept } from '../storage.ts';
import { SessionList } from './components/session-list.tsx';
import { SessionPane } from './components/session-pane.tsx';
import { SignIn } from './components/sign-in.tsx';
import { Undone } from './components/undone.tsx';
import type { Desk } from './desk.ts';
import { useDrafts } from './use-drafts.ts';

export function App({ desk, kept }: { desk: Desk; kept: Kept }) {
  const [state, setState] = useState(desk.state);
  const conversation = useRef<HTMLElement>(null);
  useEffect(() => desk.subscribe(setState), [desk]);
  const drafts = useDrafts(kept);

  function signOut() {
    drafts.forget();
    desk.signOut();
  }

  const undone = state.errands.filter(({ problem }) => problem !== '');
  if (!state.signedIn) {
    return (
      <SignIn
        problem={state.signInProblem}
        undone={undone.length > 0}
        busy={state.signingIn}
        onSignIn={(key) => void desk.signIn(key)}
      />
    );
  }
  const elsewhere = undone.filter(({ id }) => id !== state.chosen);
  return (
    <div class="desk" data-pane={state.chosen === null ? 'list' : 'session'}>
      {state.chosen !== null && (
        // No link: the address names the chosen session.
        <button type="button" class="skip quiet" onClick={() => conversation.current?.focus()}>
          Skip to the conversation
        </button>
      )}
      <header class="top">
        <Mark />
        <h1>
          Fjell &amp; Fern <span>Console</span>
        </h1>
        <button type="button" class="on-night" onClick={signOut}>
          <LeaveIcon />
          Sign out
        </button>
      </header>
      {elsewhere.length > 0 && (
        <div class="undone">
          {elsewhere.map((errand) => (
            <Undone key={errand.id} errand={errand} />
          ))}
        </div>
      )}
      <main class="panes">
        <SessionList
          state={state}
          onFilter={(filter) => void desk.filter(filter)}
          onOlder={() => void desk.older()}
          onNewer={() => void desk.newer()}
        />
        <section id="conversation" aria-label="Conversation" tabIndex={-1} ref={conversation}>
          {state.chosen === null ? (
            <p class="blank">Choose a session to read its conversation.</p>
          ) : (
            <SessionPane
              key={state.chosen}
              state={state}
              drafts={drafts}
              onBack={() => {
                location.hash = '';
              }}
              onStatus={(status) => void desk.setStatus(status)}
              onSay={(text) => desk.say(text)}
              onEarlier={() => void desk.loadEarlier()}
            />
          )}
        </section>
      </main>
    </div>
  );
}
