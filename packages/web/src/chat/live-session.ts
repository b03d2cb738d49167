import { isGone } from '../http.ts';
import type { Pause } from '../pause.ts';
import type { Answer, SessionInfo, TurnEvent } from '../wire.ts';
import type { ChatApi } from './api.ts';
import { LiveFeed } from './live-feed.ts';
import type { LiveTurn } from './live-turns.ts';
import { Transcript } from './transcript.ts';
import { REASON } from './wording.ts';

/** What a stream that has begun brings at once is there by then. */
const SETTLE_MS = 1_000;
/** Longer than a dead holder's lease: a turn that was silent so long may have died with its server. */
const SILENT_TURN_MS = 35_000;

/** How many checks make one where no person is expected. */
const SELDOM = 6;

const UNKNOWN: SessionInfo = { status: 'active', escalated: false, ticket: null, version: 0 };

export interface LiveSessionOptions {
  readonly api: ChatApi;
  readonly pause: Pause;
  readonly now: () => number;
  readonly onChange: () => void;
  /** The server no longer has it for this browser. */
  readonly onGone: () => void;
}

/** One session as it lives: its transcript, kept up to date by its stream and by asking. */
export class LiveSession {
  readonly id: string | null;
  readonly transcript = new Transcript();
  readonly #options: LiveSessionOptions;
  readonly #stop = new AbortController();
  readonly #feed: LiveFeed;
  /** What the history was asked for on account of: turns of other tabs, and turns that ended. */
  readonly #asked = new Set<string>();
  #info = UNKNOWN;
  #connected = false;
  #settled = false;
  #incomplete = false;
  #earlierFailed = false;
  #catching: Promise<void> | null = null;
  #behind = false;
  #checks = 0;
  /** Reads are numbered as they begin, and may end in any order. */
  #reads = 0;
  /** The newest that has ended, well or not. */
  #newest = 0;
  /** Up to this one they tell of the session as it was before what is known. */
  #outdated = 0;
  /** Live output up to here belongs to turns that have ended. */
  seen: number;

  /** `id` is `null` while there is no session; `seen` is what an earlier page of this tab knew. */
  constructor(id: string | null, seen: number, options: LiveSessionOptions) {
    this.id = id;
    this.seen = seen;
    this.#options = options;
    this.#settled = id === null;
    if (id === null) this.transcript.known = true;
    this.#feed = new LiveFeed({
      api: options.api,
      pause: options.pause,
      onEvent: (event) => this.hear(event),
      onEnded: () => void this.#catchUp(),
      onConnected: () => this.#begun(),
      onOffline: () => {
        this.#connected = false;
        this.#settle();
      },
    });
  }

  get info(): SessionInfo {
    return this.#info;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** The history could not be read, or not to its end. */
  get incomplete(): boolean {
    return this.#incomplete;
  }

  /** The messages before those that are known could not be read. */
  get earlierFailed(): boolean {
    return this.#earlierFailed;
  }

  /** A session that was just made: there is nothing to be read of it. */
  begin(): void {
    this.transcript.known = true;
    this.#settled = true;
    this.follow();
  }

  follow(): void {
    if (this.id !== null) this.#feed.start(this.id, this.seen);
  }

  /** A page that nobody sees holds no connection. */
  show(visible: boolean): void {
    if (visible) this.#feed.resume();
    else this.#feed.suspend();
  }

  leave(): void {
    this.#stop.abort();
    this.#feed.stop();
  }

  /** Reads the newest messages. Never rejects: what went wrong is `incomplete`, or `onGone`. */
  async refresh(): Promise<void> {
    const { id } = this;
    const { api, onGone, onChange } = this.#options;
    const { signal } = this.#stop;
    if (signal.aborted) return;
    if (id === null) return this.#settle();
    this.#reads += 1;
    const read = this.#reads;
    const ended = this.transcript.unclaimed.filter(({ end }) => end !== null);
    let failed = false;
    try {
      // In this order: what is stored meanwhile then belongs to a later version.
      const info = await api.session(id, signal);
      const history = await api.history(id, signal);
      if (signal.aborted) return;
      if (read > this.#outdated) this.#learn(info, read);
      // Of the history an older answer only adds.
      this.transcript.merge(history);
      this.transcript.finishTurns(ended.map((turn) => turn.id));
    } catch (error) {
      if (signal.aborted) return;
      if (isGone(error)) return onGone();
      failed = true;
    }
    if (read > this.#newest) {
      this.#newest = read;
      this.#incomplete = failed;
    }
    this.#reckon();
    onChange();
  }

  async loadEarlier(): Promise<void> {
    const { signal } = this.#stop;
    const before = this.transcript.earlier;
    if (this.id === null || before === null) return;
    const page = await this.#options.api.history(this.id, signal, before).catch(() => null);
    // What is known may have begun anew: what lies between could not be asked for any more.
    if (signal.aborted || this.transcript.earlier !== before) return;
    this.#earlierFailed = page === null;
    if (page !== null) this.transcript.merge(page);
    this.#options.onChange();
  }

  /**
   * Asks whether a person has written or taken over: that is no live output of a turn. Where nobody
   * expects one it is asked `atOnce`, or at every sixth call.
   */
  async checkForPerson(atOnce: boolean): Promise<void> {
    const { status, escalated, version } = this.#info;
    const { signal } = this.#stop;
    this.#reckon();
    this.#checks += 1;
    const due = atOnce || escalated || status === 'handed_over' || this.#checks % SELDOM === 0;
    if (this.id === null || !due) return;
    const info = await this.#options.api.session(this.id, signal).catch(() => null);
    if (info !== null && info.version !== version) await this.#catchUp();
  }

  /** A live event; of the message `key` when that message's own reply brought it. */
  hear(event: TurnEvent, key: string | null = null): void {
    if (key !== null) this.#claim(key, event.turnId);
    const turn = this.transcript.hear(event, this.#options.now());
    if (turn !== null) this.#note(turn);
    this.#look();
    this.#options.onChange();
  }

  answered(key: string, answer: Answer): void {
    if (answer.text === '') this.#learn({ status: 'handed_over' });
    this.#escalate(answer);
    this.transcript.answered(key, answer, this.#options.now());
    this.#look();
  }

  /** The reply of a message broke off. Its turn goes on: whatever becomes of it, the stream says. */
  interrupted(key: string): void {
    this.transcript.change(key, { interrupted: true });
    this.#settled = false;
    this.#feed.reconnect();
  }

  failed(key: string, reason: string): void {
    this.transcript.change(key, { delivery: 'failed', interrupted: false, reason });
    this.#look();
  }

  #claim(key: string, turnId: string): void {
    const item = this.transcript.item(key);
    if (item === undefined || item.turnId === turnId) return;
    this.transcript.turns.finish(item.turnId);
    this.transcript.change(key, { turnId });
  }

  #note(turn: LiveTurn): void {
    if (turn.end !== null) this.seen = Math.max(this.seen, turn.lastSeq);
    if (turn.leftToPerson) this.#learn({ status: 'handed_over' });
    if (turn.details !== null) this.#escalate(turn.details);
  }

  #escalate({ escalated, ticket }: Pick<Answer, 'escalated' | 'ticket'>): void {
    if (!escalated && ticket === null) return;
    this.#learn({ escalated: true, ticket: ticket ?? this.#info.ticket });
  }

  /** What is heard is newer than what any read will tell that has begun; what is read, only than older ones. */
  #learn(change: Partial<SessionInfo>, read = this.#reads): void {
    this.#info = { ...this.#info, ...change };
    this.#outdated = read;
  }

  /** Asks for what a turn here or elsewhere has stored, once it is clear that no reply will bring it. */
  #look(): void {
    const { outgoing, turns, unclaimed } = this.transcript;
    const underWay = outgoing.filter((item) => item.delivery === 'sending' && !item.interrupted);
    if (underWay.some(({ turnId }) => turnId === null)) return;
    const replied = new Set(underWay.map(({ turnId }) => turnId));
    const ended = turns.all.filter(({ id, end }) => end !== null && !replied.has(id));
    const begun = unclaimed.filter((turn) => turn.text !== '' || turn.looking || turn.leftToPerson);
    const news = [...ended.map(({ id }) => `end of ${id}`), ...begun.map(({ id }) => id)];
    const unread = news.filter((item) => !this.#asked.has(item));
    for (const item of unread) this.#asked.add(item);
    if (unread.length > 0) void this.#catchUp();
  }

  /** One request at a time, and one more for what has happened meanwhile. */
  #catchUp(): Promise<void> {
    this.#behind = true;
    this.#catching ??= this.#readUntilEven().finally(() => {
      this.#catching = null;
    });
    return this.#catching;
  }

  async #readUntilEven(): Promise<void> {
    while (this.#behind) {
      this.#behind = false;
      await this.refresh();
    }
  }

  #begun(): void {
    this.#connected = true;
    if (this.#incomplete) void this.#catchUp();
    void this.#options.pause(SETTLE_MS, this.#stop.signal).then(() => this.#settle());
  }

  #settle(): void {
    if (this.#stop.signal.aborted) return;
    this.#settled = true;
    if (this.#catching === null) this.#reckon();
    this.#options.onChange();
  }

  /** Gives up the messages whose reply broke off and that nothing is under way for any more. */
  #reckon(): void {
    if (!this.#settled || this.#behind) return;
    const now = this.#options.now();
    const { outgoing, turns } = this.transcript;
    const alive = turns.running.some(({ heardAt }) => now - heardAt < SILENT_TURN_MS);
    if (alive && this.#connected) return;
    const given = outgoing.filter((item) => item.interrupted && item.delivery === 'sending');
    for (const { key } of given) this.failed(key, REASON.cut);
    if (given.length > 0) this.#options.onChange();
  }
}
