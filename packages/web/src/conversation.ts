import { ApiError, type ChatApi, HISTORY_LIMIT } from './api.ts';
import {
  type Entry,
  isIncomplete,
  isUnsent,
  message,
  notice,
  past,
  patch,
  place,
} from './entries.ts';
import type { SessionId } from './session-id.ts';
import type { Answer } from './wire.ts';
import { NOTICE, reasonFor } from './wording.ts';

export interface ConversationState {
  entries: Entry[];
  loading: boolean;
  /** The server has a session for this page, so there is something to end. */
  open: boolean;
}

export interface ConversationOptions {
  api: ChatApi;
  session: SessionId;
  /** A fresh idempotency key. */
  newKey: () => string;
}

type Job = (signal: AbortSignal) => Promise<void>;

/**
 * A conversation as the page shows it. Work is done one job at a time and in order, so that nothing is
 * refused while an answer is awaited. Loading never creates a session; only a message does.
 */
export class Conversation {
  readonly #api: ChatApi;
  readonly #session: SessionId;
  readonly #newKey: () => string;
  readonly #listeners = new Set<(state: ConversationState) => void>();
  #state: ConversationState;
  #tail: Promise<void> = Promise.resolve();
  #abort = new AbortController();

  constructor({ api, session, newKey }: ConversationOptions) {
    this.#api = api;
    this.#session = session;
    this.#newKey = newKey;
    this.#state = { entries: [], loading: false, open: session.read() !== null };
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
    this.#set({ loading: this.#session.read() !== null });
    return this.#enqueue((signal) => this.#load(signal));
  }

  send(text: string): Promise<void> {
    return this.#deliver(this.#newKey(), text);
  }

  /** Sends a failed message again, under the same key: the server runs it at most once. */
  retry(id: string): Promise<void> {
    const failed = this.#state.entries.find((entry) => entry.id === id);
    if (failed?.kind !== 'message' || failed.delivery !== 'failed') return Promise.resolve();
    return this.#deliver(id, failed.text);
  }

  /** Ends the session. What was under way is dropped; if the server can't be reached, it can be retried. */
  end(): Promise<void> {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#tail = Promise.resolve();
    for (const { id } of this.#state.entries.filter(isUnsent)) this.#fail(id, 'Stopped.');
    this.#set({ loading: false });
    return this.#enqueue((signal) => this.#end(signal));
  }

  #deliver(key: string, text: string): Promise<void> {
    const unseen = this.#state.entries.some(isIncomplete);
    const kept = this.#state.entries.filter((entry) => !isIncomplete(entry) && entry.id !== key);
    this.#set({ entries: [...kept, message(key, 'user', { text, delivery: 'sending' })] });
    return this.#enqueue(async (signal) => {
      try {
        this.#answered(key, await this.#ask(key, text, signal));
      } catch (error) {
        if (!signal.aborted) this.#fail(key, reasonFor(error));
        return;
      }
      if (unseen) await this.#load(signal);
    });
  }

  async #ask(key: string, text: string, signal: AbortSignal): Promise<Answer> {
    const known = this.#session.read();
    if (known !== null) {
      try {
        return await this.#api.send(known, text, key, signal);
      } catch (error) {
        if (!isGone(error)) throw error;
        this.#session.clear();
        this.#set({ entries: place(this.#state.entries, 'before', key, notice(NOTICE.expired)) });
      }
    }
    const id = await this.#api.create(signal);
    signal.throwIfAborted();
    this.#session.write(id);
    this.#set({});
    return this.#api.send(id, text, key, signal);
  }

  #answered(key: string, answer: Answer): void {
    const entries = patch(this.#state.entries, key, { delivery: 'sent', reason: '' });
    const reply =
      answer.text === ''
        ? notice(NOTICE.unanswered, true)
        : message(`${key}-answer`, 'assistant', answer);
    this.#set({ entries: place(entries, 'after', key, reply) });
  }

  async #load(signal: AbortSignal): Promise<void> {
    const id = this.#session.read();
    let shown: Entry[] = [];
    try {
      if (id !== null) shown = withNotices(await this.#api.history(id, signal));
    } catch (error) {
      if (signal.aborted) return;
      if (isGone(error)) {
        this.#session.clear();
        shown = [notice(NOTICE.expired)];
      } else {
        const sent = this.#state.entries.filter((entry) => !isUnsent(entry));
        shown = [...sent.filter((entry) => !isIncomplete(entry)), notice(NOTICE.notLoaded, true)];
      }
    }
    this.#set({ entries: [...shown, ...this.#state.entries.filter(isUnsent)], loading: false });
  }

  async #end(signal: AbortSignal): Promise<void> {
    const id = this.#session.read();
    try {
      if (id !== null) await this.#api.end(id, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!isGone(error)) {
        const kept = this.#state.entries.filter((entry) => entry.id !== NOTICE.notEnded);
        this.#set({ entries: [...kept, notice(NOTICE.notEnded)] });
        return;
      }
    }
    this.#session.clear();
    // Written after the end was asked for, so meant for the next conversation.
    const next = this.#state.entries.filter(
      (entry) => entry.kind === 'message' && entry.delivery === 'sending',
    );
    this.#set({ entries: [notice(NOTICE.ended), ...next] });
  }

  #enqueue(job: Job): Promise<void> {
    const { signal } = this.#abort;
    const run = this.#tail.then(() => (signal.aborted ? undefined : job(signal)));
    // A job that throws must not hold up those behind it.
    this.#tail = run.catch(() => {});
    return run;
  }

  #fail(key: string, reason: string): void {
    this.#set({ entries: patch(this.#state.entries, key, { delivery: 'failed', reason }) });
  }

  #set(change: Partial<ConversationState>): void {
    this.#state = { ...this.#state, ...change, open: this.#session.read() !== null };
    for (const listener of this.#listeners) listener(this.#state);
  }
}

function isGone(error: unknown): boolean {
  return error instanceof ApiError && error.sessionGone;
}

function withNotices(history: Parameters<typeof past>[0][]): Entry[] {
  const entries: Entry[] = history.map(past);
  const first = history[0]?.seq ?? 1;
  if (history.length >= HISTORY_LIMIT && first > 1) entries.unshift(notice(NOTICE.shortened));
  if (history.at(-1)?.role === 'user') entries.push(notice(NOTICE.unanswered, true));
  return entries;
}
