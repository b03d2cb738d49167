import {
  type Session,
  SessionNotFoundError,
  type SessionStatus,
  type SessionStore,
  VersionConflictError,
} from 'holdfast';
import { openTicket } from '../tools/support-record.ts';
import { HttpProblem } from './errors/http-problem.ts';

export interface StatusChange {
  readonly status: SessionStatus;
  /** Only if this is the id of the open ticket, or `null` and there is none. Whatever there is unless given. */
  readonly ifTicket?: string | null | undefined;
}

/** A try is lost to each change that comes between its look and its write. */
const maxTries = 20;

/**
 * Gives a session another status. A session that is `active` waits for no person: whoever makes it
 * so has dealt with its ticket.
 *
 * @param seen the session as it was read just now
 * @throws HttpProblem when the ticket has changed, VersionConflictError when each try was lost, SessionNotFoundError
 */
export async function setStatus(
  store: SessionStore,
  seen: Session,
  { status, ifTicket }: StatusChange,
): Promise<Session> {
  const { id } = seen;
  const patch = status === 'active' ? { status, escalated: false } : { status };
  if (ifTicket === undefined) return store.update(id, patch);
  let session: Session | null = seen;
  for (let tries = 1; ; tries += 1) {
    if (session === null) throw new SessionNotFoundError(`There is no session ${id}.`);
    assertTicket(session, ifTicket);
    try {
      // A message changes the version, too, and is no reason to refuse: then the ticket is looked at again.
      return await store.update(id, patch, { ifVersion: session.version });
    } catch (error) {
      if (!(error instanceof VersionConflictError) || tries === maxTries) throw error;
    }
    session = await store.get(id, { fresh: true });
  }
}

function assertTicket(session: Session, expected: string | null): void {
  const open = openTicket(session)?.id ?? null;
  if (open === expected) return;
  throw new HttpProblem(
    'TICKET_CHANGED',
    `The session ${session.id} has ${ticketNamed(open)}, not ${ticketNamed(expected)}.`,
  );
}

function ticketNamed(id: string | null): string {
  return id === null ? 'no open ticket' : `the open ticket ${id}`;
}
