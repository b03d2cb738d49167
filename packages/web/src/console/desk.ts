import { ApiError } from '../http.ts';
import type { Status } from '../wire.ts';
import type { OperatorApi } from './api.ts';
import type { OperatorKey } from './operator-key.ts';
import type { Line, SessionRow } from './wire.ts';
import { problemFor, SIGN_IN } from './wording.ts';

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
  /** Why what was asked for last was not done; stays until something else is asked for. */
  readonly actionProblem: string;
  /** A change is on its way. */
  readonly busy: boolean;
}

export interface DeskOptions {
  readonly connect: (operatorKey: string) => OperatorApi;
  readonly operatorKey: OperatorKey;
  /** A fresh idempotency key. */
  readonly newKey: () => string;
}

const NO_SESSION = {
  session: null,
  lines: [],
  earlier: null,
  sessionProblem: '',
  actionProblem: '',
  busy: false,
} as const;

/** Before a list has come. */
const NO_LIST = {
  sessions: null,
  unreadable: [],
  hasNewer: false,
  hasOlder: false,
  listProblem: '',
} as const;

const START: DeskState = {
  signedIn: false,
  signingIn: false,
  signInProblem: '',
  filter: null,
  ...NO_LIST,
  chosen: null,
  ...NO_SESSION,
};

/** What an operator has in front of them: the sessions, and one of them opened. */
export class Desk {
  readonly #options: DeskOptions;
  readonly #listeners = new Set<(state: DeskState) => void>();
  #state = START;
  #api: OperatorApi | null = null;
  /** The cursors of the pages up to the one that is shown; the first page has none. */
  #cursors: (string | null)[] = [null];
  #next: string | null = null;
  /** Aborts what the session that was chosen before still waits for. */
  #reading = new AbortController();
  #listing = new AbortController();
  /** The version of the chosen session whose messages have been read. */
  #readVersion: number | null = null;
  /** A message that may have arrived is repeated under its own key. */
  #unsent = { id: '', text: '', key: '' };

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  get state(): DeskState {
    return this.#state;
  }

  /** Calls `listener` now and at each change; returns how to stop that. */
  subscribe(listener: (state: DeskState) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#state);
    return () => this.#listeners.delete(listener);
  }

  /** Goes on with the key that this tab still has. */
  async resume(): Promise<void> {
    const key = this.#options.operatorKey.read();
    if (key !== null) await this.signIn(key);
  }

  async signIn(key: string): Promise<void> {
    this.#set({ signingIn: true, signInProblem: '' });
    this.#api = this.#options.connect(key);
    try {
      await this.#list(this.#api);
    } catch (error) {
      const signInProblem = isRefused(error) ? SIGN_IN.wrongKey : problemFor(error);
      if (isRefused(error)) this.#options.operatorKey.clear();
      this.#api = null;
      this.#set({ signingIn: false, signInProblem });
      return;
    }
    this.#options.operatorKey.write(key);
    this.#set({ signedIn: true, signingIn: false });
    await this.#read();
  }

  signOut(problem = ''): void {
    this.#reading.abort();
    this.#listing.abort();
    this.#options.operatorKey.clear();
    this.#api = null;
    this.#cursors = [null];
    this.#reading = new AbortController();
    this.#readVersion = null;
    this.#set({ ...START, chosen: this.#state.chosen, signInProblem: problem });
  }

  filter(filter: Status | null): Promise<void> {
    this.#cursors = [null];
    // It leads on from the list of before.
    this.#next = null;
    this.#set({ filter, ...NO_LIST });
    return this.#tryList();
  }

  older(): Promise<void> {
    // Until the page is there, a second click means the same one.
    if (this.#next !== null && this.#next !== this.#cursors.at(-1)) this.#cursors.push(this.#next);
    return this.#tryList();
  }

  newer(): Promise<void> {
    if (this.#cursors.length > 1) this.#cursors.pop();
    return this.#tryList();
  }

  /** Opens a session, or closes the one that is open. */
  async choose(id: string | null): Promise<void> {
    if (id === this.#state.chosen) return;
    this.#reading.abort();
    this.#reading = new AbortController();
    this.#readVersion = null;
    this.#set({ chosen: id, ...NO_SESSION });
    await this.#read();
  }

  /** To be called every few seconds, and when something failed. */
  async refresh(): Promise<void> {
    // While a key is tried, a second list would take the place of the one that it waits for.
    if (!this.#state.signedIn) return;
    await Promise.all([this.#tryList(), this.#read()]);
  }

  async loadEarlier(): Promise<void> {
    const { chosen, earlier } = this.#state;
    if (chosen === null || earlier === null) return;
    await this.#ofSession(async (api, signal) => {
      const page = await api.transcript(chosen, signal, earlier);
      return { lines: merged(page.lines, this.#state.lines), earlier: page.before };
    });
  }

  async setStatus(status: Status): Promise<void> {
    const { chosen, session } = this.#state;
    if (chosen === null) return;
    // Whoever takes over takes what has come meanwhile, too; all else is decided on what was seen.
    const change =
      status === 'handed_over' ? { status } : { status, ifTicket: session?.ticket?.id ?? null };
    await this.#act(async (api, signal) => ({
      session: await api.setStatus(chosen, change, signal),
    }));
    await this.refresh();
  }

  /** Whether the message was taken. */
  async say(text: string): Promise<boolean> {
    const { chosen } = this.#state;
    if (chosen === null) return false;
    if (this.#unsent.id !== chosen || this.#unsent.text !== text) {
      this.#unsent = { id: chosen, text, key: this.#options.newKey() };
    }
    const { key } = this.#unsent;
    const taken = await this.#act(async (api, signal) => {
      await api.say(chosen, { text, key }, signal);
      return {};
    });
    if (taken) this.#unsent = { id: '', text: '', key: '' };
    await this.#read();
    return taken;
  }

  async #tryList(): Promise<void> {
    if (this.#api === null) return;
    try {
      await this.#list(this.#api);
    } catch (error) {
      if (this.#api === null) return;
      if (isRefused(error)) this.signOut(SIGN_IN.noLonger);
      else if (error instanceof ApiError) this.#set({ listProblem: problemFor(error) });
    }
  }

  async #list(api: OperatorApi): Promise<void> {
    this.#listing.abort();
    this.#listing = new AbortController();
    const { signal } = this.#listing;
    const cursor = this.#cursors.at(-1) ?? null;
    const page = await api.list({ status: this.#state.filter, cursor }, signal);
    signal.throwIfAborted();
    this.#next = page.next;
    this.#set({
      sessions: page.sessions,
      unreadable: page.unreadable,
      hasOlder: page.next !== null,
      hasNewer: this.#cursors.length > 1,
      listProblem: '',
    });
  }

  /** Reads the chosen session, and its newest messages where it has changed. */
  async #read(): Promise<void> {
    const { chosen } = this.#state;
    if (chosen === null) return;
    await this.#ofSession(async (api, signal) => {
      const session = await api.session(chosen, signal);
      if (session.version === this.#readVersion) return { session };
      const page = await api.transcript(chosen, signal);
      const { lines, earlier } = this.#state;
      const lastSeq = lines.at(-1)?.seq ?? 0;
      // Where lines are missing in between, it begins anew with the newest page.
      const anew =
        this.#readVersion === null || (page.before !== null && page.before > lastSeq + 1);
      this.#readVersion = session.version;
      if (anew) return { session, lines: page.lines, earlier: page.before };
      return { session, lines: merged(lines, page.lines), earlier };
    });
  }

  /** What an operator asks for. Whether it was done. */
  async #act(work: Work): Promise<boolean> {
    const { signal } = this.#reading;
    this.#set({ busy: true, actionProblem: '' });
    const done = await this.#ofSession(work, 'actionProblem');
    if (!signal.aborted) this.#set({ busy: false });
    return done;
  }

  /** Whether it was done; what went wrong is shown with the session. */
  async #ofSession(
    work: Work,
    problem: 'sessionProblem' | 'actionProblem' = 'sessionProblem',
  ): Promise<boolean> {
    const { signal } = this.#reading;
    if (this.#api === null) return false;
    try {
      const change = await work(this.#api, signal);
      if (signal.aborted) return false;
      this.#set({ ...change, [problem]: '' });
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      if (isRefused(error)) this.signOut(SIGN_IN.noLonger);
      else this.#set({ [problem]: problemFor(error) });
      return false;
    }
  }

  #set(change: Partial<DeskState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener(this.#state);
  }
}

type Work = (api: OperatorApi, signal: AbortSignal) => Promise<Partial<DeskState>>;

/** How the server itself refuses a key; a proxy's 403 says nothing of it. */
const REFUSED: ReadonlySet<string> = new Set(['OPERATOR_ONLY', 'INVALID_TOKEN']);

function isRefused(error: unknown): boolean {
  return error instanceof ApiError && REFUSED.has(error.code);
}

/** A transcript only grows: each line is known by its place. */
function merged(older: readonly Line[], newer: readonly Line[]): readonly Line[] {
  const seqs = new Set(newer.map(({ seq }) => seq));
  return [...older.filter(({ seq }) => !seqs.has(seq)), ...newer].sort((a, b) => a.seq - b.seq);
}
