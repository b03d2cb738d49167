import type { Status } from '../wire.ts';
import type { Line, SessionRow } from './wire.ts';

/** What was asked of a session; it goes on whatever its operator looks at meanwhile. */
export interface Errand {
  /** The session's. */
  readonly id: string;
  /** By what the session was known. */
  readonly title: string;
  /** It is on its way. */
  readonly busy: boolean;
  /** Why it was not done; empty otherwise. */
  readonly problem: string;
}

export interface DeskState {
  readonly signedIn: boolean;
  /** The key is being tried. */
  readonly signingIn: boolean;
  readonly signInProblem: string;
  /** `null` for all. */
  readonly filter: Status | null;
  /** `null` before they have come. */
  readonly sessions: readonly SessionRow[] | null;
  /** The ids of those that belong among them and cannot be read. */
  readonly unreadable: readonly string[];
  readonly hasNewer: boolean;
  readonly hasOlder: boolean;
  readonly listProblem: string;
  /** The session that is chosen, whether or not it has come. */
  readonly chosen: string | null;
  readonly session: SessionRow | null;
  readonly lines: readonly Line[];
  readonly earlier: number | null;
  /** Why the session cannot be shown as it is now. */
  readonly sessionProblem: string;
  /** At most one of each session: what is on its way, and what was not done until its operator has come and gone. */
  readonly errands: readonly Errand[];
}

/** Before a session has come. */
export const NO_SESSION = {
  session: null,
  lines: [],
  earlier: null,
  sessionProblem: '',
} as const;

/** Before a list has come. */
export const NO_LIST = {
  sessions: null,
  unreadable: [],
  hasNewer: false,
  hasOlder: false,
  listProblem: '',
} as const;

export const START: DeskState = {
  signedIn: false,
  signingIn: false,
  signInProblem: '',
  filter: null,
  ...NO_LIST,
  chosen: null,
  ...NO_SESSION,
  errands: [],
};
