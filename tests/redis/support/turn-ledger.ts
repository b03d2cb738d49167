import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Instance } from './shared-namespace.ts';

interface Entry {
  readonly sessionId: string;
  readonly content: string;
}

/** Of turns that each write a message of their own, and count it: what must be found of them. */
export class Ledger {
  /** In the order in which they were acknowledged. */
  readonly acknowledged: Entry[] = [];
  readonly #attempted = new Set<string>();

  async turn(sessions: Instance, sessionId: string): Promise<void> {
    const content = randomUUID();
    this.#attempted.add(content);
    await sessions.turn(sessionId, async (turn) => {
      turn.append({ role: 'user', content });
      turn.increment('messageCount');
    });
    this.acknowledged.push({ sessionId, content });
  }

  /**
   * Every acknowledged message is there, nothing is there twice, or without having been written, and
   * the counters say the same.
   */
  async check(sessions: Instance, ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const history = await sessions.store.messages(id);
      const contents = history.map(({ content }) => content);
      expect(new Set(contents).size).toBe(contents.length);
      expect(history.map(({ seq }) => seq)).toEqual(contents.map((_, index) => index + 1));
      for (const content of contents) expect(this.#attempted).toContain(content);
      const acknowledged = this.acknowledged.filter(({ sessionId }) => sessionId === id);
      for (const { content } of acknowledged) expect(contents).toContain(content);
      expect((await sessions.store.get(id))?.messageCount).toBe(contents.length);
    }
  }
}
