import { expect } from 'vitest';
import { fakeStorage } from '../../testing/fake-storage.ts';
import { createApi } from '../api.ts';
import { Conversation } from '../conversation.ts';
import type { Entry, MessageEntry } from '../entries.ts';
import { createSessionId, type SessionId } from '../session-id.ts';
import { createTabMemory } from '../tab-memory.ts';
import { FakeServer } from './fake-server.ts';

/** Far above what any machine needs. */
const SOON = { interval: 1, timeout: 60_000 };

/** One tab on a fake server, with a clock of its own that goes on only when told. */
export class Scene {
  readonly server = new FakeServer();
  readonly storage = fakeStorage();
  readonly tab = fakeStorage();
  session: SessionId = createSessionId(this.storage);
  now = 0;
  #keys = 0;
  readonly #pauses = new Set<{ readonly until: number; readonly wake: () => void }>();
  conversation: Conversation = this.#open();

  /** A page opened on a session that the browser knows, before it has loaded anything. */
  open(id: string): void {
    this.session.write(id);
    this.conversation = this.#open();
  }

  /** The page is loaded again. */
  reload(): Promise<void> {
    this.conversation = this.#open();
    return this.conversation.load();
  }

  /** Lets so much time pass, once something waits for no more than that. */
  async pass(ms: number): Promise<void> {
    const due = () => [...this.#pauses].filter(({ until }) => until <= this.now + ms);
    await expect.poll(() => due().length, SOON).toBeGreaterThan(0);
    const woken = due();
    this.now += ms;
    for (const pause of woken) pause.wake();
  }

  /** Waits until the log is as said. */
  async shows(...lines: string[]): Promise<void> {
    await expect.poll(() => this.shown, SOON).toEqual(lines);
  }

  /** The log, a line each: who: what, (notice), or […what is being written]. */
  get shown(): string[] {
    return this.conversation.state.entries.map(lineOf);
  }

  get failed(): MessageEntry[] {
    return this.conversation.state.entries.filter(
      (entry): entry is MessageEntry => entry.kind === 'message' && entry.delivery === 'failed',
    );
  }

  #open(): Conversation {
    return new Conversation({
      api: createApi(this.server.fetch),
      session: this.session,
      memory: createTabMemory(this.tab),
      newKey: () => {
        this.#keys += 1;
        return `key-${this.#keys}`;
      },
      now: () => this.now,
      pause: (ms, signal) =>
        new Promise((resolve) => {
          const wake = () => {
            this.#pauses.delete(pause);
            resolve();
          };
          const pause = { until: this.now + ms, wake };
          this.#pauses.add(pause);
          signal.addEventListener('abort', wake);
        }),
    });
  }
}

function lineOf(entry: Entry): string {
  if (entry.kind === 'notice') return `(${entry.text})`;
  if (entry.kind === 'message') return `${entry.role}: ${entry.text}`;
  return `[${entry.stage}] ${entry.text}`.trim();
}
