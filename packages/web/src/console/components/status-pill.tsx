import type { SessionRow } from '../wire.ts';
import { isWaiting, STATUS } from '../wording.ts';

export function StatusPill({ session }: { session: SessionRow }) {
  const waiting = isWaiting(session);
  return (
    <span class="pill" data-status={waiting ? 'waiting' : session.status}>
      {waiting ? 'Needs a person' : STATUS[session.status]}
    </span>
  );
}
