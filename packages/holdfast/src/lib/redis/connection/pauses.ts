/** Waits that can all be ended at once. (An AbortSignal would warn of its eleventh listener.) */
export class Pauses {
  readonly #running = new Map<NodeJS.Timeout, () => void>();
  #areOver = false;

  /** Resolves after `ms` milliseconds, or at `end`. */
  wait(ms: number): Promise<void> {
    if (this.#areOver) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#running.delete(timer);
        resolve();
      }, ms);
      this.#running.set(timer, resolve);
    });
  }

  /** For good. */
  end(): void {
    this.#areOver = true;
    for (const [timer, resolve] of this.#running) {
      clearTimeout(timer);
      resolve();
    }
    this.#running.clear();
  }
}
