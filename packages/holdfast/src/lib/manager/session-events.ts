import type { StoreEventName, StoreEvents } from '../store/store-events.ts';
import type { TurnEnded } from './turn-course.ts';

/** What `sessions.on` tells of: what happens to sessions, and to those who use them. */
export interface SessionEvents extends StoreEvents {
  /** The client is not the one that the session is bound to. */
  fingerprintMismatch: {
    readonly sessionId: string;
    /** The features that differ. */
    readonly differing: readonly string[];
    /** Whether the call was refused for it. */
    readonly refused: boolean;
  };
  /** A call of `turn` or `startTurn` has ended, one way or the other. */
  turnEnded: TurnEnded;
  tokenRotated: { readonly sessionId: string };
  /** Sessions were ended by `revoke` and its kin. */
  revoked: { readonly count: number; readonly userId: string | null };
}

export type SessionEventName = keyof SessionEvents;

const managerEvents: ReadonlySet<SessionEventName> = new Set<
  Exclude<SessionEventName, StoreEventName>
>(['fingerprintMismatch', 'turnEnded', 'tokenRotated', 'revoked']);

/** Whether the manager tells of it; the store tells of the others. */
export function isManagerEvent(name: SessionEventName): boolean {
  return managerEvents.has(name);
}
