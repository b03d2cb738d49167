import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { HoldfastError } from '../../../packages/holdfast/src/lib/errors/errors.ts';
import type { Instance } from './shared-namespace.ts';

/**
 * Between two turns of one writer, in ms. A session remembers 64 outcomes: no more turns than that may come
 * between a turn and its repetition after an outage, as in conversations they do not.
 */
const restMs = 1_000;
/** After a refusal, as a client would; in ms. */
const pauseMs = 50;
/** Of the outage: a request that has found no server yet is tried again. */
const passing = new Set(['STORE_UNAVAILABLE', 'OUTCOME_UNKNOWN', 'LEASE_LOST', 'SESSION_BUSY']);

interface Acknowledged {
  readonly sessionId: string;
  readonly content: string;
}

/**
 * Turns that go on while servers fail: each writes a message of its own and is tried again under its
 * idempotency key, as clients do, until it is acknowledged.
 */
export class FailoverLedger {
  readonly acknowledged: Acknowledged[] = [];
  /** How often each error was met. */
  readonly errors = new Map<string, number>();
  readonly #written = new Set<string>();
  #stopped = false;

  /** Writes until `stop`. A session that a failover has lost is made again. */
  async write(sessions: Instance, sessionId: string): Promise<void> {
    while (!this.#stopped) {
      const content = randomUUID();
      this.#written.add(content);
      const idempotencyKey = randomUUID();
      await this.#untilDone(sessions, sessionId, () =>
        sessions.turn(sessionId, { idempotencyKey }, async (turn) => {
          turn.append({ role: 'user', content });
          turn.increment('messageCount');
        }),
      );
      this.acknowledged.push({ sessionId, content });
      await sleep(restMs * Math.random() * 2);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Resolves when some more turns were acknowledged. */
  async more(count = 20): Promise<void> {
    const enough = this.acknowledged.length + count;
    const deadline = performance.now() + 60_000;
    while (this.acknowledged.length < enough) {
      if (performance.now() > deadline) {
        const met = JSON.stringify([...this.errors]);
        throw new Error(`${count} more turns did not succeed within a minute: ${met}`);
      }
      await sleep(5);
    }
  }

  /**
   * Nothing is there twice, or without having been written; counters and numbers fit.
   *
   * @returns how many acknowledged messages are missing
   */
  async check(sessions: Instance, ids: readonly string[]): Promise<number> {
    let lost = 0;
    for (const id of ids) {
      const history = await sessions.store.messages(id, { limit: 100_000 });
      const contents = history.map(({ content }) => String(content));
      expect(new Set(contents).size).toBe(contents.length);
      const first = history[0]?.seq ?? 1;
      expect(history.map(({ seq }) => seq)).toEqual(contents.map((_, at) => first + at));
      expect(contents.filter((content) => !this.#written.has(content))).toEqual([]);
      const session = await sessions.store.get(id, { fresh: true });
      expect(session?.messageCount).toBe(contents.length);
      const there = new Set(contents);
      for (const one of this.acknowledged) {
        if (one.sessionId === id && !there.has(one.content)) lost += 1;
      }
    }
    return lost;
  }

  async #untilDone(sessions: Instance, id: string, run: () => Promise<unknown>): Promise<void> {
    const deadline = performance.now() + 60_000;
    for (;;) {
      try {
        await run();
        return;
      } catch (error) {
        const code = error instanceof HoldfastError ? error.code : String(error);
        this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
        if (code === 'SESSION_NOT_FOUND')
          await sessions.getOrCreate({ sessionId: id }).catch(() => {});
        else if (!passing.has(code)) throw error;
        if (performance.now() > deadline) throw error;
        await sleep(pauseMs);
      }
    }
  }
}
