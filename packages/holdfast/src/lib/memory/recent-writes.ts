/**
 * A lost reply is repeated at once, so the last few results of a session serve every repeat. Each
 * holds on to a version of the session that nobody else may need any more.
 */
const capacity = 4;

/** Results of a session's last writes, by operation and nonce: a repeated write gets the first one's. */
export class RecentWrites {
  /** Newest last. So few that a list is both smaller and faster than a map. */
  readonly #names: string[] = [];
  readonly #results: unknown[] = [];

  get<Result>(write: string): Result | undefined {
    const index = this.#names.indexOf(write);
    return index === -1 ? undefined : (this.#results[index] as Result);
  }

  add(write: string, result: unknown): void {
    this.#names.push(write);
    this.#results.push(result);
    if (this.#names.length <= capacity) return;
    this.#names.shift();
    this.#results.shift();
  }
}
