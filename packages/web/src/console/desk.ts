import { ApiError } from '../http.ts';
import type { Kept } from '../storage.ts';
import type { Status } from '../wire.ts';
import type { OperatorApi } from './api.ts';
import { type DeskState, type Errand, NO_LIST, NO_SESSION, START } from './desk-state.ts';
import type { OperatorKey } from './operator-key.ts';
import { Unsent } from './unsent.ts';
import type { Line } from './wire.ts';
import { problemFor, SIGN_IN, titleOf, unreadFor } from './wording.ts';

export interface DeskOptions {
  readonly connect: (operatorKey: string) => OperatorApi;
  readonly operatorKey: OperatorKey;
  /** Where messages are that may have arrived. */
  readonly unsent: Kept;
  /** A fresh idempotency key. */
  readonly newKey: () => string;
}

/** What is asked about the chosen session. */
class Reading {
  readonly #stop = new AbortController();
  readonly signal = this.#stop.signal;
  /** That of the session whose messages have been read. */
  version: number | null = null;
  underWay: Promise<void> | null = null;
  /** Something was done since what is under way was asked for. */
  behind = false;

  stop(): void {
    this.#stop.abort();
  }
}

/** What an operator has in front of them: the sessions, and one of them opened. */
export class Desk {
  readonly #options: DeskOptions;
  readonly #listeners = new Set<(state: DeskState) => void>();
  #state = START;
  #api: OperatorApi | null = null;
  /** The cursors of the pages up to the one that is shown; the first page has none. */
  #cursors: (string | null)[] = [null];
  #next: string | null = null;
  #reading = new Reading();
  /** Aborts the list that is under way. */
  #listing: AbortController | null = null;
  readonly #unsent: Unsent;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#unsent = new Unsent(options.unsent, options.newKey);
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

  /** Goes on with the key that this tab still has: it was good, and is until the server refuses it. */
  async resume(): Promise<void> {
    const key = this.#options.operatorKey.read();
    if (key === null) return;
    this.#api = this.#options.connect(key);
    this.#set({ signedIn: true });
    await this.refresh();
  }

  async signIn(key: string): Promise<void> {
    this.#set({ signingIn: true, signInProblem: '' });
    const api = this.#options.connect(key);
    try {
      await this.#list(api);
    } catch (error) {
      const signInProblem = isRefused(error) ? SIGN_IN.wrongKey : problemFor(error);
      if (isRefused(error)) this.#options.operatorKey.clear();
      this.#set({ signingIn: false, signInProblem });
      return;
    }
    // Not before: all else that is asked with a key takes it for one that was good.
    this.#api = api;
    this.#options.operatorKey.write(key);
    this.#set({ signedIn: true, signingIn: false });
    await this.#read();
  }

  /** A message that is on its way arrives all the same. */
  signOut(): void {
    this.#unsent.forget();
    this.#leave('');
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
    const left = this.#state.chosen;
    const errands = this.#state.errands.filter((errand) => errand.busy || errand.id !== left);
    this.#reading.stop();
    this.#reading = new Reading();
    this.#set({ chosen: id, ...NO_SESSION, errands });
    await this.#read();
  }

  /** To be called every few seconds, and when something failed. */
  async refresh(): Promise<void> {
    // While a key is tried, a second list would take the place of the one that it waits for.
    if (!this.#state.signedIn) return;
    // A list that takes longer than until the next call would never come if it were asked for anew.
    await Promise.all([this.#listing === null ? this.#tryList() : undefined, this.#read()]);
  }

  async loadEarlier(): Promise<void> {
    const { chosen, earlier } = this.#state;
    if (chosen === null || earlier === null) return;
    await this.#ofSession(async (api, signal) => {
      const page = await api.transcript(chosen, signal, earlier);
      // The transcript has begun anew: what lies between could not be asked for any more.
      if (this.#state.earlier !== earlier) return {};
      return { lines: merged(page.lines, this.#state.lines), earlier: page.before };
    }, problemFor);
  }

  async setStatus(status: Status): Promise<void> {
    const { chosen, session } = this.#state;
    if (chosen === null) return;
    // Whoever takes over takes what has come meanwhile, too; all else is decided on what was seen.
    const change =
      status === 'handed_over' ? { status } : { status, ifTicket: session?.ticket?.id ?? null };
    await this.#act(async (api) => ({ session: await api.setStatus(chosen, change) }));
    await Promise.all([this.#tryList(), this.#readAnew()]);
  }

  /** Whether the message was taken. */
  async say(text: string): Promise<boolean> {
    const { chosen } = this.#state;
    if (chosen === null) return false;
    const message = this.#unsent.message(chosen, text);
    const taken = await this.#act(async (api) => {
      await api.say(chosen, message);
      return {};
    });
    if (taken) this.#unsent.taken(chosen, message);
    // Not awaited: a message that was taken must be gone from its box, or it is sent twice.
    void this.#readAnew();
    return taken;
  }

  async #tryList(): Promise<void> {
    if (this.#api === null) return;
    try {
      await this.#list(this.#api);
    } catch (error) {
      if (this.#api === null) return;
      if (isRefused(error)) this.#leave(SIGN_IN.noLonger);
      else if (error instanceof ApiError) this.#set({ listProblem: unreadFor(error) });
    }
  }

  async #list(api: OperatorApi): Promise<void> {
    this.#listing?.abort();
    const listing = new AbortController();
    this.#listing = listing;
    try {
      const cursor = this.#cursors.at(-1) ?? null;
      const page = await api.list({ status: this.#state.filter, cursor }, listing.signal);
      listing.signal.throwIfAborted();
      this.#next = page.next;
      this.#set({
        sessions: page.sessions,
        unreadable: page.unreadable,
        hasOlder: page.next !== null,
        hasNewer: this.#cursors.length > 1,
        listProblem: '',
      });
    } finally {
      if (this.#listing === listing) this.#listing = null;
    }
  }

  /** Reads the chosen session; one at a time, or an older answer could come last. */
  #read(): Promise<void> {
    const reading = this.#reading;
    reading.underWay ??= this.#readUntilEven(reading);
    return reading.underWay;
  }

  /** The same, and takes nothing that was asked for before. */
  #readAnew(): Promise<void> {
    this.#reading.behind = true;
    return this.#read();
  }

  async #readUntilEven(reading: Reading): Promise<void> {
    do {
      reading.behind = false;
      await this.#readOnce(reading);
    } while (reading.behind && !reading.signal.aborted);
    reading.underWay = null;
  }

  /** The chosen session, and its newest messages where it has changed. */
  async #readOnce(reading: Reading): Promise<void> {
    const { chosen } = this.#state;
    if (chosen === null) return;
    await this.#ofSession(async (api, signal) => {
      const session = await api.session(chosen, signal);
      if (reading.behind) return {};
      if (session.version === reading.version) return { session };
      const page = await api.transcript(chosen, signal);
      if (reading.behind) return {};
      const { lines, earlier } = this.#state;
      const lastSeq = lines.at(-1)?.seq ?? 0;
      // Where lines are missing in between, it begins anew with the newest page.
      const anew = reading.version === null || (page.before !== null && page.before > lastSeq + 1);
      reading.version = session.version;
      if (anew) return { session, lines: page.lines, earlier: page.before };
      return { session, lines: merged(lines, page.lines), earlier };
    });
  }

  /** What an operator asks of the chosen session; no look at another one stops it. Whether it was done. */
  async #act(work: (api: OperatorApi) => Promise<Partial<DeskState>>): Promise<boolean> {
    const { chosen: id, session } = this.#state;
    const api = this.#api;
    const reading = this.#reading;
    if (api === null || id === null) return false;
    const errand = { id, title: session === null ? id : titleOf(session) };
    this.#note({ ...errand, busy: true, problem: '' });
    try {
      const change = await work(api);
      if (api !== this.#api) return true;
      this.#note({ ...errand, busy: false, problem: '' });
      if (reading === this.#reading) this.#set(change);
      return true;
    } catch (error) {
      // Whoever has signed out since is told as well.
      if (api === this.#api && isRefused(error)) this.#leave(SIGN_IN.noLonger);
      else this.#note({ ...errand, busy: false, problem: problemFor(error) });
      return false;
    }
  }

  #note(errand: Errand): void {
    const others = this.#state.errands.filter(({ id }) => id !== errand.id);
    const isDone = !errand.busy && errand.problem === '';
    this.#set({ errands: isDone ? others : [...others, errand] });
  }

  /** What goes wrong with it is shown with the session. */
  async #ofSession(
    work: (api: OperatorApi, signal: AbortSignal) => Promise<Partial<DeskState>>,
    wordsFor = unreadFor,
  ): Promise<void> {
    const { signal } = this.#reading;
    if (this.#api === null) return;
    try {
      const change = await work(this.#api, signal);
      if (!signal.aborted) this.#set({ ...change, sessionProblem: '' });
    } catch (error) {
      if (signal.aborted) return;
      if (isRefused(error)) this.#leave(SIGN_IN.noLonger);
      else this.#set({ sessionProblem: wordsFor(error) });
    }
  }

  #leave(problem: string): void {
    this.#reading.stop();
    this.#reading = new Reading();
    this.#listing?.abort();
    this.#options.operatorKey.clear();
    this.#api = null;
    this.#cursors = [null];
    this.#set({ ...START, chosen: this.#state.chosen, signInProblem: problem });
  }

  #set(change: Partial<DeskState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener(this.#state);
  }
}

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
