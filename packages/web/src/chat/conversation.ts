import { ApiError, isGone } from '../http.ts';
import type { Pause } from '../pause.ts';
import type { Answer, Status, Ticket } from '../wire.ts';
import type { ChatApi } from './api.ts';
import { type Entry, notice } from './entries.ts';
import { LiveSession } from './live-session.ts';
import { type Outgoing, outgoing } from './outgoing.ts';
import type { SessionId } from './session-id.ts';
import type { TabMemory } from './tab-memory.ts';
import { entriesOf } from './view.ts';
import { NOTICE, REASON, reasonFor } from './wording.ts';

export interface ConversationState {
  readonly entries: readonly Entry[];
  readonly loading: boolean;
  /** The server has a session for this page, so there is something to end. */
  readonly open: boolean;
  /** It is being ended. */
  readonly ending: boolean;
  readonly status: Status;
  /** What the conversation was last passed on under. */
  readonly ticket: Ticket | null;
}

export interface ConversationOptions {
  readonly api: ChatApi;
  readonly session: SessionId;
  readonly memory: TabMemory;
  /** A fresh idempotency key. */
  readonly newKey: () => string;
  readonly now: () => number;
  readonly pause: Pause;
}

type Job = (signal: AbortSignal) => Promise<void>;

/**
 * A conversation as the page shows it. Messages are sent one at a time and in order, so that nothing
 * is refused while an answer is awaited. Loading never creates a session; only a message does.
 */
export class Conversation {
  readonly #options: ConversationOptions;
  readonly #listeners = new Set<(state: ConversationState) => void>();
  #live: LiveSession;
  /** What stays on the screen of an earlier session, or of the page's own doing. */
  #above: readonly Entry[] = [];
  #below: readonly Entry[] = [];
  #loading = false;
  #visible = true;
  #tail: Promise<void> = Promise.resolve();
  #abort = new AbortController();
  #ending: Promise<void> | null = null;
  #state: ConversationState;

  constructor(options: ConversationOptions) {
    this.#options = options;
    const id = options.session.read();
    const { seen, outgoing: written } = options.memory.read(id);
    this.#live = this.#liveSession(id, seen);
    for (const item of written) this.#live.transcript.add(item);
    this.#state = this.#stateNow();
  }

  get state(): ConversationState {
    return this.#state;
  }

  /** Calls `listener` now and at each change; returns how to stop that. */
  subscribe(listener: (state: ConversationState) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#state);
    return () => this.#listeners.delete(listener);
  }

  /** Shows what the server has of the stored session, and keeps below it what is not yet sent. */
  load(): Promise<void> {
    this.#loading = this.#options.session.read() !== null;
    this.#publish();
    return this.#enqueue(async () => {
      const id = this.#options.session.read();
      if (id !== this.#live.id) this.#switch(id, this.#unsent());
      await this.#live.refresh();
      this.#loading = false;
      this.#live.follow();
      this.#publish();
    });
  }

  loadEarlier(): Promise<void> {
    return this.#live.loadEarlier();
  }

  send(text: string): Promise<void> {
    const key = this.#options.newKey();
    this.#live.transcript.add(outgoing(key, text));
    return this.#deliver(key);
  }

  /** Sends a failed message again, under the same key: the server runs it at most once. */
  retry(key: string): Promise<void> {
    const failed = this.#live.transcript.item(key);
    if (failed?.delivery !== 'failed') return Promise.resolve();
    this.#live.transcript.add({ ...failed, delivery: 'sending', reason: '' });
    return this.#deliver(key);
  }

  /** Leaves the session to whom it was passed on to, and shows nothing of it any more. */
  startNew(): void {
    // What is being ended must not be left to the server instead; a new one begins after it.
    if (this.#ending !== null) return;
    const { session } = this.#options;
    this.#stopWork();
    session.clear(session.read());
    this.#switch(null, []);
    this.#publish();
  }

  /** Ends the session. What was under way is dropped; if the server can't be reached, it can be retried. */
  end(): Promise<void> {
    this.#ending ??= this.#stopAndEnd().finally(() => {
      this.#ending = null;
      this.#publish();
    });
    this.#publish();
    return this.#ending;
  }

  #stopAndEnd(): Promise<void> {
    this.#stopWork();
    for (const { key, delivery } of this.#live.transcript.outgoing) {
      if (delivery === 'sending') this.#live.failed(key, REASON.stopped);
    }
    // Its stream would tell of the end as if somebody else had brought it about.
    this.#live.show(false);
    return this.#enqueue((signal) => this.#end(signal));
  }

  /** The page is seen, or it is not: then it holds no connection and asks for nothing. */
  show(visible: boolean): void {
    this.#visible = visible;
    this.#live.show(visible);
    // A page that was put away, for the browser's way back, is told nothing of other tabs.
    if (visible && this.#options.session.read() !== this.#live.id) void this.load();
    this.checkForPerson(true);
  }

  /** To be called every few seconds. */
  checkForPerson(atOnce = false): void {
    if (this.#visible) void this.#live.checkForPerson(atOnce);
  }

  #deliver(key: string): Promise<void> {
    this.#below = [];
    this.#publish();
    return this.#enqueue(async (signal) => {
      const item = this.#live.transcript.item(key);
      // It has been answered meanwhile, by the reply that it was thought to have lost.
      if (item === undefined || item.delivery !== 'sending') return;
      try {
        const answer = await this.#ask(item, signal);
        this.#live.answered(key, answer);
      } catch (error) {
        if (signal.aborted) return;
        this.#broken(key, error);
      }
      this.#publish();
      if (this.#live.incomplete) await this.#live.refresh();
    });
  }

  async #ask(item: Outgoing, signal: AbortSignal): Promise<Answer> {
    const { api, session } = this.#options;
    const known = session.read();
    if (known !== this.#live.id) this.#switch(known, this.#unsent());
    if (known !== null) {
      try {
        return await this.#post(known, item, signal);
      } catch (error) {
        if (!isGone(error)) throw error;
        this.#expire();
        // Another tab may have gone on already.
        if (session.read() !== null) return this.#ask(item, signal);
      }
    }
    const id = await api.create(signal);
    signal.throwIfAborted();
    session.write(id);
    this.#switch(id, this.#unsent(), this.#above);
    this.#live.begin();
    this.#publish();
    return this.#post(id, item, signal);
  }

  #post(id: string, { key, text }: Outgoing, signal: AbortSignal): Promise<Answer> {
    const live = this.#live;
    live.transcript.depart(key);
    return this.#options.api.send(id, { key, text }, signal, (event) => live.hear(event, key));
  }

  #broken(key: string, error: unknown): void {
    const begun = this.#live.transcript.item(key)?.turnId !== null;
    const noReply = error instanceof ApiError && error.status === 0;
    if (begun && noReply) this.#live.interrupted(key);
    else this.#live.failed(key, reasonFor(error));
  }

  async #end(signal: AbortSignal): Promise<void> {
    const { api, session } = this.#options;
    // Not the stored one, which another tab may have begun: nobody has seen it here.
    const { id } = this.#live;
    try {
      if (id !== null) await api.end(id, signal);
    } catch (error) {
      if (!isGone(error)) {
        this.#below = [notice(NOTICE.notEnded)];
        this.#live.show(this.#visible);
        this.#publish();
        return;
      }
    }
    session.clear(id);
    // Written after the end was asked for, so meant for the next conversation.
    const next = this.#unsent().filter(({ delivery }) => delivery === 'sending');
    this.#switch(null, next, [notice(NOTICE.ended)]);
    this.#publish();
    if (session.read() !== null) void this.load();
  }

  /** The session is gone while a message is on its way: the next one goes on below what was said. */
  #expire(): void {
    const closed = this.#live.info.status === 'closed';
    const said = this.#entries().filter(
      (entry) => entry.kind === 'message' && entry.delivery === 'sent',
    );
    this.#options.session.clear(this.#live.id);
    this.#switch(null, this.#unsent(), [...said, notice(closed ? NOTICE.closed : NOTICE.expired)]);
  }

  /** The session was ended elsewhere, or has expired: nothing of it stays on the screen. */
  #gone(): void {
    this.#options.session.clear(this.#live.id);
    this.#switch(null, this.#unsent(), [notice(NOTICE.expired)]);
    this.#loading = false;
    this.#publish();
  }

  /** Goes on with another session, and with those messages that it is to get. */
  #switch(id: string | null, kept: readonly Outgoing[], above: readonly Entry[] = []): void {
    this.#live.leave();
    this.#above = above;
    this.#below = [];
    this.#live = this.#liveSession(id, 0);
    for (const { key, text, delivery, reason, interrupted } of kept) {
      const cut = { delivery: 'failed', reason: REASON.cut } as const;
      const now = interrupted ? cut : { delivery, reason };
      this.#live.transcript.add(outgoing(key, text, now));
    }
  }

  #liveSession(id: string | null, seen: number): LiveSession {
    const live = new LiveSession(id, seen, {
      ...this.#options,
      onChange: () => {
        if (live === this.#live) this.#publish();
      },
      onGone: () => {
        if (live === this.#live) this.#gone();
      },
    });
    live.show(this.#visible);
    return live;
  }

  #unsent(): Outgoing[] {
    return this.#live.transcript.outgoing.filter(({ delivery }) => delivery !== 'sent');
  }

  #stopWork(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#tail = Promise.resolve();
    this.#loading = false;
  }

  #enqueue(job: Job): Promise<void> {
    const { signal } = this.#abort;
    const run = this.#tail.then(() => (signal.aborted ? undefined : job(signal)));
    // A job that throws must not hold up those behind it.
    this.#tail = run.catch(() => {});
    return run;
  }

  #entries(): Entry[] {
    const { transcript, settled, info, incomplete, earlierFailed } = this.#live;
    const leftToPerson = info.status === 'handed_over';
    const shown = entriesOf(transcript, {
      settled: settled && !this.#loading,
      leftToPerson,
      earlierFailed,
    });
    if (!incomplete) return [...this.#above, ...shown, ...this.#below];
    return transcript.known
      ? [...this.#above, ...shown, notice(NOTICE.notUpdated, 'reload'), ...this.#below]
      : [...this.#above, notice(NOTICE.notLoaded, 'reload'), ...shown, ...this.#below];
  }

  #stateNow(): ConversationState {
    const { status, ticket } = this.#live.info;
    const open = this.#options.session.read() !== null;
    const ending = this.#ending !== null;
    return { entries: this.#entries(), loading: this.#loading, open, ending, status, ticket };
  }

  #publish(): void {
    const { memory, session } = this.#options;
    memory.write(session.read(), { seen: this.#live.seen, outgoing: this.#unsent() });
    this.#state = this.#stateNow();
    for (const listener of this.#listeners) listener(this.#state);
  }
}
