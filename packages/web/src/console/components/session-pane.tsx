import { useEffect, useRef } from 'preact/hooks';
import { BackIcon } from '../../components/icons.tsx';
import type { Status } from '../../wire.ts';
import type { DeskState } from '../desk-state.ts';
import type { Drafts } from '../use-drafts.ts';
import { titleOf } from '../wording.ts';
import { About } from './about.tsx';
import { ReplyBox } from './reply-box.tsx';
import { StatusPill } from './status-pill.tsx';
import { Transcript } from './transcript.tsx';

interface SessionPaneProps {
  state: DeskState;
  drafts: Drafts;
  onBack: () => void;
  onStatus: (status: Status) => void;
  /** Whether the message was taken; until then it stays in its box. */
  onSay: (text: string) => Promise<boolean>;
  onEarlier: () => void;
}

/** What can be done with a session, the likeliest first. */
const ACTIONS: Readonly<Record<Status, readonly (readonly [Status, string])[]>> = {
  active: [
    ['handed_over', 'Take over'],
    ['closed', 'Close'],
  ],
  handed_over: [
    ['active', 'Give back'],
    ['closed', 'Close'],
  ],
  closed: [['active', 'Reopen']],
};

export function SessionPane({
  state,
  drafts,
  onBack,
  onStatus,
  onSay,
  onEarlier,
}: SessionPaneProps) {
  const { session, lines, earlier } = state;
  const errand = state.errands.find(({ id }) => id === state.chosen);
  const busy = errand?.busy ?? false;
  // Where the session cannot be read, what stands there is no answer to what was tried.
  const problem = state.sessionProblem || errand?.problem || '';
  const title = useRef<HTMLHeadingElement>(null);
  const log = useRef<HTMLDivElement>(null);
  const reply = useRef<HTMLTextAreaElement>(null);
  const wanted = useRef<Status | null>(null);
  const loading = session === null && state.sessionProblem === '';
  // A session that was chosen is read next, by whatever means it was chosen, or why it cannot be.
  useEffect(() => {
    if (!loading) title.current?.focus({ preventScroll: true });
  }, [loading]);

  // Who took over writes next, unless they went elsewhere meanwhile.
  const status = session?.status;
  useEffect(() => {
    if (status === undefined || status !== wanted.current) return;
    wanted.current = null;
    if (document.activeElement === title.current) reply.current?.focus();
  }, [status]);

  const draft = session === null ? '' : drafts.of(session.id);
  async function send(id: string, message: string) {
    // Laid out in reverse: who writes is at its end, where what they write comes.
    log.current?.scrollTo({ top: 0 });
    if (await onSay(message)) drafts.sent(id, message);
  }

  /** The button is replaced by others: the focus does not wait for that. */
  function change(next: Status) {
    wanted.current = next;
    title.current?.focus({ preventScroll: true });
    onStatus(next);
  }

  return (
    <article class="pane" aria-busy={loading}>
      <header class="pane-head">
        <button type="button" class="back" onClick={onBack}>
          <BackIcon />
          <span class="visually-hidden">Back to the sessions</span>
        </button>
        <div class="pane-title">
          <h2 ref={title} tabIndex={-1}>
            {session === null ? (loading ? 'Loading…' : 'Not shown') : titleOf(session)}
          </h2>
          <span role="status">{session !== null && <StatusPill session={session} />}</span>
        </div>
        <div class="pane-actions">
          {session !== null &&
            ACTIONS[session.status].map(([next, label], index) => (
              <button
                key={label}
                type="button"
                class={index === 0 ? '' : 'quiet'}
                disabled={busy}
                onClick={() => change(next)}
              >
                {label}
              </button>
            ))}
        </div>
      </header>
      {problem !== '' && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {session !== null && (
        <>
          <About session={session} />
          <Transcript
            lines={lines}
            earlier={earlier !== null}
            scroller={log}
            onEarlier={onEarlier}
          />
          {session.status !== 'handed_over' && (
            <p class="reply-hint">
              {session.status === 'closed'
                ? 'This session is closed: it takes no more messages.'
                : 'The assistant answers. Take over to write to the customer yourself.'}
            </p>
          )}
          {(session.status === 'handed_over' || draft !== '') && (
            <ReplyBox
              input={reply}
              text={draft}
              onText={(text) => drafts.write(session.id, text)}
              canSend={session.status === 'handed_over' && !busy}
              onSend={(message) => void send(session.id, message)}
            />
          )}
        </>
      )}
    </article>
  );
}
