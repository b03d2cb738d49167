import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { OpenSession, ServerOnRedis } from '../../../server/server-on-redis.ts';

/**
 * Between two messages of one customer, in ms. A session remembers 64 outcomes: no more messages than that may
 * come between one and its repetition after an outage, as in conversations they do not.
 */
const restMs = 1_000;
/** After a refusal, as a client would; in ms. */
const pauseMs = 50;
/** Of the outage: a request that has found no server yet is sent again. */
const passing = new Set(['STORE_UNAVAILABLE', 'OUTCOME_UNKNOWN', 'LEASE_LOST', 'SESSION_BUSY']);
const pageSize = 200;

interface Acknowledged {
  readonly text: string;
  /** In which session it was said at last. */
  readonly sessionId: string;
  /** When it was first sent, and when it was answered, by `performance.now()`. */
  readonly from: number;
  readonly to: number;
  /** What it met before, with the seconds from its beginning. */
  readonly refusals: readonly string[];
}

/** A customer's session; another one when a failover has lost it. */
class Seat {
  readonly #server: ServerOnRedis;
  #opening: Promise<OpenSession>;

  constructor(server: ServerOnRedis) {
    this.#server = server;
    this.#opening = server.open();
  }

  get session(): Promise<OpenSession> {
    return this.#opening;
  }

  /** Of the customers that have met its loss the first one opens another. */
  async replace(lost: OpenSession): Promise<void> {
    if ((await this.session) !== lost) return;
    this.#opening = this.#server.open();
    // Tried again by the next one who finds it lost.
    await this.#opening.catch(() => {
      this.#opening = Promise.resolve(lost);
    });
  }
}

/**
 * Conversations that go on while servers of Redis fail: each message is sent again under its idempotency key, as
 * clients do, until it is answered.
 */
export class FailoverLedger {
  readonly acknowledged: Acknowledged[] = [];
  /** How often each error was met. */
  readonly errors = new Map<string, number>();
  readonly #seats: readonly Seat[];
  readonly #servers: readonly ServerOnRedis[];
  readonly #written = new Set<string>();
  readonly #talking: Promise<unknown>;
  #stopped = false;

  private constructor(servers: readonly ServerOnRedis[], seats: readonly Seat[]) {
    this.#servers = servers;
    this.#seats = seats;
    const customers = seats.flatMap((seat) => servers.map((server) => this.#talk(server, seat)));
    this.#talking = Promise.all(customers);
    this.#talking.catch(() => {
      this.#stopped = true;
    });
  }

  /** Sessions each of which has a customer at every server. */
  static async start(servers: readonly ServerOnRedis[], count: number): Promise<FailoverLedger> {
    const [first] = servers;
    if (first === undefined) throw new Error('There is no server.');
    const seats = Array.from({ length: count }, () => new Seat(first));
    await Promise.all(seats.map(({ session }) => session));
    return new FailoverLedger(servers, seats);
  }

  /** Resolves when some more messages were answered. */
  async more(count = 20): Promise<void> {
    const enough = this.acknowledged.length + count;
    const deadline = performance.now() + 60_000;
    while (this.acknowledged.length < enough) {
      if (this.#stopped) await this.#talking;
      if (performance.now() > deadline) {
        const met = JSON.stringify([...this.errors]);
        throw new Error(`${count} more messages were not answered within a minute: ${met}`);
      }
      await sleep(5);
    }
  }

  /** Of the first customer. */
  async sessionId(): Promise<string> {
    const session = await this.#seats[0]?.session;
    return session?.id ?? '';
  }

  /**
   * Ends the conversations and looks at all that is stored: nothing twice, nothing that nobody said, and where nothing
   * is lost the counts that fit.
   *
   * @returns how many answered messages are missing, or their answers
   */
  async finish(): Promise<number> {
    await this.more();
    this.#stopped = true;
    await this.#talking;
    let lost = this.acknowledged.length;
    for (const seat of this.#seats) lost -= await this.#check(await seat.session);
    return lost;
  }

  /** @returns how many of the answered messages are there, with their answers */
  async #check(session: OpenSession): Promise<number> {
    const [server] = this.#servers.slice(-1);
    if (server === undefined) throw new Error('There is no server.');
    const history = await this.#history(server, session);
    const said = history.filter(({ role }) => role === 'user');
    const texts = said.map(({ content }) => content.text ?? '');
    expect(new Set(texts).size).toBe(texts.length);
    expect(texts.filter((text) => !this.#written.has(text))).toEqual([]);
    const first = history[0]?.seq ?? 1;
    expect(history.map(({ seq }) => seq)).toEqual(history.map((_, at) => first + at));
    const answers = history.filter(({ role, content }) => role === 'assistant' && content.text);
    const unanswered = texts.length - answers.length;
    // No answer is there twice, or without its question.
    expect(unanswered).toBeGreaterThanOrEqual(0);
    const path = `/api/sessions/${session.id}`;
    const { body } = await server.request('GET', path, { token: session.token });
    const own = this.acknowledged.filter(({ sessionId }) => sessionId === session.id);
    const there = new Set(texts);
    const isWhole = unanswered === 0 && own.every(({ text }) => there.has(text));
    if (isWhole) expect(body.message_count).toBe(texts.length);
    return own.filter(({ text }) => there.has(text)).length - unanswered;
  }

  async #history(server: ServerOnRedis, { id, token }: OpenSession): Promise<StoredMessage[]> {
    const pages: StoredMessage[] = [];
    for (let before = ''; ; ) {
      const path = `/api/sessions/${id}/messages?limit=${pageSize}${before}`;
      const { body } = await server.request('GET', path, { token });
      pages.unshift(...(body.messages as StoredMessage[]));
      if (body.next_before === null) return pages;
      before = `&before=${body.next_before}`;
    }
  }

  async #talk(server: ServerOnRedis, seat: Seat): Promise<void> {
    // Not all at once.
    await sleep(restMs * Math.random());
    while (!this.#stopped) {
      const text = `How long does a refund take? (${randomUUID()})`;
      this.#written.add(text);
      const from = performance.now();
      const refusals: string[] = [];
      const { id } = await this.#untilAnswered(server, seat, text, refusals);
      this.acknowledged.push({ text, sessionId: id, from, to: performance.now(), refusals });
      await sleep(restMs * Math.random() * 2);
    }
  }

  async #untilAnswered(
    server: ServerOnRedis,
    seat: Seat,
    text: string,
    refusals: string[],
  ): Promise<OpenSession> {
    const began = performance.now();
    const deadline = began + 60_000;
    const key = randomUUID();
    for (;;) {
      const session = await seat.session;
      const { status, body } = await server.say(session, text, key);
      if (status === 200) return session;
      const code = String(body.code);
      refusals.push(`${code} at ${((performance.now() - began) / 1_000).toFixed(1)} s`);
      this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
      if (code === 'INVALID_TOKEN') await seat.replace(session);
      else if (!passing.has(code)) throw new Error(`${status} ${JSON.stringify(body)}`);
      if (performance.now() > deadline) throw new Error(`${code} for a minute: ${text}`);
      await sleep(pauseMs);
    }
  }
}

interface StoredMessage {
  readonly seq: number;
  readonly role: string;
  readonly content: { readonly text?: string };
}
