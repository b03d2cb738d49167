import { type Session, SessionManager } from 'holdfast';
import { InMemorySessionStore } from 'holdfast/memory';
import type { Figures } from '../figures.ts';
import { cpuTimePerOperation } from '../measuring.ts';
import { plainTurn, sixtyBytes } from '../plain-turn.ts';
import type { Measure, Subject } from '../subject.ts';
import { randomPicker } from './random.ts';

export interface SessionsSubjectOptions {
  readonly sessions: number;
  /** Messages that a history keeps. */
  readonly messages: number;
  /** Messages that each history has at the start; none unless given. */
  readonly filled?: number;
  /** Size of V8's young generation, for a subject in a process of its own; V8's default unless given. */
  readonly youngMegabytes?: number;
}

/** A full store of idle sessions, and a bare map of the same. */
export class SessionsSubject implements Subject {
  readonly #store: InMemorySessionStore;
  readonly #manager: SessionManager;
  readonly #map = new Map<string, Session>();
  readonly #pick: (count: number) => readonly string[];
  #created = 0;

  private constructor(store: InMemorySessionStore, ids: readonly string[]) {
    this.#store = store;
    this.#manager = new SessionManager({ store });
    this.#pick = randomPicker(ids);
  }

  static async create(options: SessionsSubjectOptions): Promise<SessionsSubject> {
    const { sessions, messages, filled = 0 } = options;
    const store = new InMemorySessionStore({ maxSessions: sessions, maxMessages: messages });
    const ids = Array.from({ length: sessions }, (_, index) => `session-${index}`);
    const subject = new SessionsSubject(store, ids);
    const message = { role: 'user', content: sixtyBytes } as const;
    const history = Array.from({ length: filled }, () => message);
    for (const id of ids) {
      subject.#map.set(id, await store.create(id));
      if (filled > 0) await store.appendMessages(id, history);
    }
    return subject;
  }

  async measure(measure: Measure, count: number): Promise<Figures> {
    switch (measure) {
      case 'mapGet':
        return cpuTimePerOperation(this.#askedFor(count), (ids) => getFromMap(this.#map, ids));
      case 'get':
        return cpuTimePerOperation(this.#askedFor(count), (ids) => getFromStore(this.#store, ids));
      case 'turn':
        return cpuTimePerOperation(this.#askedFor(count), (ids) => runTurns(this.#manager, ids));
      case 'create':
        return cpuTimePerOperation(this.#newIds(count), (ids) => createAll(this.#store, ids));
      default:
        throw new Error(`Sessions at rest have no measure ${measure}.`);
    }
  }

  async stop(): Promise<void> {
    await this.#store.close();
  }

  /** Ids as requests bring them: strings of their own, not those that the store holds. */
  #askedFor(count: number): string[] {
    return this.#pick(count).map((id) => Buffer.from(id).toString());
  }

  #newIds(count: number): string[] {
    this.#created += count;
    return Array.from({ length: count }, (_, index) => `new-${this.#created}-${index}`);
  }
}

// The same loop four times over: sharing one would make it slower for all, by what each calls.

async function getFromMap(map: ReadonlyMap<string, Session>, ids: readonly string[]) {
  for (const id of ids) await map.get(id);
}

async function getFromStore(store: InMemorySessionStore, ids: readonly string[]) {
  for (const id of ids) await store.get(id);
}

async function runTurns(manager: SessionManager, ids: readonly string[]) {
  for (const id of ids) await manager.turn(id, plainTurn);
}

async function createAll(store: InMemorySessionStore, ids: readonly string[]) {
  for (const id of ids) await store.create(id);
}
