/**
 * A lost reply is repeated at once, so the last few results of a session serve every repeat. Each
 * holds on to a version of the session that nobody else may need any more.
 */
const capacity = 4;

/** Results of a session's last writes, by operation and nonce: a repeated write gets the first one's. */
export class RecentWrites {
  readonly #results = new Map<string, unknown>();

  get<Result>(write: string): Result | undefined {
    return this.#results.get(write) as Result | undefined;
  }

  add(write: string, result: unknown): void {
    this.#results.set(write, result);
    if (this.#results.size <= capacity) return;
    for (const oldest of this.#results.keys()) {
      this.#results.delete(oldest);
      return;
    }
  }
}
