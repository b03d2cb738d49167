/**
 * An end that is told once, as an AbortController tells it, without being an EventTarget: each turn that
 * is read has one.
 */
export class Ending<Reason = undefined> {
  #ended: { readonly reason: Reason } | null = null;
  readonly #callbacks = new Set<() => void>();

  /** Why it ended; `null` while it has not. */
  get ended(): { readonly reason: Reason } | null {
    return this.#ended;
  }

  /** The first reason stands. */
  end(reason: Reason): void {
    if (this.#ended !== null) return;
    this.#ended = { reason };
    const callbacks = [...this.#callbacks];
    this.#callbacks.clear();
    for (const tell of callbacks) tell();
  }

  /** Calls back when it ends, at once if it has; not any more after the returned function was called. */
  onEnd(callback: () => void): () => void {
    if (this.#ended !== null) {
      callback();
      return () => {};
    }
    // Not the caller's function itself, which may be given twice.
    const tell = () => callback();
    this.#callbacks.add(tell);
    return () => this.#callbacks.delete(tell);
  }
}
