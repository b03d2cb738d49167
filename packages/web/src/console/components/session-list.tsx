import { useEffect, useRef } from 'preact/hooks';
import type { Status } from '../../wire.ts';
import type { DeskState } from '../desk-state.ts';
import type { SessionRow } from '../wire.ts';
import { ago, isWaiting, STATUS, titleOf } from '../wording.ts';
import { StatusPill } from './status-pill.tsx';
import { Unreadable } from './unreadable.tsx';

interface SessionListProps {
  state: DeskState;
  onFilter: (filter: Status | null) => void;
  onOlder: () => void;
  onNewer: () => void;
}

const FILTERS: readonly (readonly [Status | null, string])[] = [
  [null, 'All'],
  ['active', STATUS.active],
  ['handed_over', STATUS.handed_over],
  ['closed', STATUS.closed],
];

export function SessionList({ state, onFilter, onOlder, onNewer }: SessionListProps) {
  const { sessions, unreadable, filter, chosen, listProblem, hasNewer, hasOlder } = state;
  const list = useRef<HTMLElement>(null);
  const left = useRef<string | null>(null);
  // Who signed in reads the list next, and who leaves a session goes on from its row.
  useEffect(() => {
    if (chosen === null) {
      const row = list.current?.querySelector<HTMLElement>(
        `[data-session="${CSS.escape(left.current ?? '')}"]`,
      );
      (row ?? list.current)?.focus();
    }
    left.current = chosen;
  }, [chosen]);

  /** The buttons may be of no use on the page that comes, and are not focused then. */
  function turn(page: () => void) {
    list.current?.focus();
    page();
  }

  return (
    <nav
      class="list"
      aria-label="Sessions"
      aria-busy={sessions === null && listProblem === ''}
      ref={list}
      tabIndex={-1}
    >
      <fieldset class="filters">
        <legend class="visually-hidden">Show sessions by status</legend>
        {FILTERS.map(([status, label]) => (
          <button
            key={label}
            type="button"
            aria-pressed={filter === status}
            onClick={() => onFilter(status)}
          >
            {label}
          </button>
        ))}
      </fieldset>
      {listProblem !== '' && (
        <p class="problem" role="alert">
          {listProblem}
        </p>
      )}
      {sessions === null && listProblem === '' && <p class="blank">Loading the sessions…</p>}
      {unreadable.length > 0 && <Unreadable ids={unreadable} />}
      {sessions?.length === 0 && <p class="blank">{noneLabel(state)}</p>}
      <ul>
        {inOrder(sessions ?? []).map((session) => (
          <li key={session.id}>
            <Row session={session} current={session.id === chosen} />
          </li>
        ))}
      </ul>
      {(hasNewer || hasOlder) && (
        <div class="pages">
          <button type="button" class="quiet" disabled={!hasNewer} onClick={() => turn(onNewer)}>
            Previous
          </button>
          <button type="button" class="quiet" disabled={!hasOlder} onClick={() => turn(onOlder)}>
            Next
          </button>
          {(filter === null || filter === 'active') && (
            <p>On each page, who needs a person comes first.</p>
          )}
        </div>
      )}
    </nav>
  );
}

function Row({ session, current }: { session: SessionRow; current: boolean }) {
  const { id, messageCount, lastActivity } = session;
  const count = messageCount === 1 ? '1 message' : `${messageCount} messages`;
  return (
    <a
      class="row"
      href={`#${encodeURIComponent(id)}`}
      aria-current={current ? 'true' : undefined}
      data-session={id}
    >
      <span class="row-title">{titleOf(session)}</span>
      <StatusPill session={session} />
      <span class="row-facts">
        {count}
        {lastActivity !== null && (
          <>
            {' · '}
            <time dateTime={new Date(lastActivity).toISOString()}>{ago(lastActivity)}</time>
          </>
        )}
      </span>
    </a>
  );
}

/** Why a list is empty, where only what was looked at is known. */
function noneLabel({ filter, unreadable, hasNewer, hasOlder }: DeskState): string {
  if (hasNewer || hasOlder) return 'There are none on this page.';
  if (unreadable.length > 0) return 'There are no others.';
  return filter === null ? 'There are no sessions yet.' : 'There are no sessions like that.';
}

/** Of one page, who waits for a person comes first; then as the customers were last heard of. */
function inOrder(sessions: readonly SessionRow[]): SessionRow[] {
  return [...sessions].sort(
    (a, b) =>
      Number(isWaiting(b)) - Number(isWaiting(a)) || (b.lastActivity ?? 0) - (a.lastActivity ?? 0),
  );
}
