import { AsyncLocalStorage } from 'node:async_hooks';

/** Runs code outside of whatever asynchronous context (a turn, say) it is called in. */
const outside = AsyncLocalStorage.snapshot();

/** The least of loggers: pino's, console's and most others fit. */
export interface Logger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * A typed list of listeners. They run in order, right after the code that emits: never inside it, so
 * a listener may call the emitter's owner, or begin a turn. One that fails is logged and stops
 * nothing.
 */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  async #call<Name extends keyof Events>(
    name: Name,
    listener: (event: never) => void,
    event: Events[Name],
  ): Promise<void> {
    try {
      await (listener as (event: Events[Name]) => unknown)(event);
    } catch (error) {
      this.#logger.error({ err: error, event: name }, 'An event listener failed');
    }
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    const listeners = this.#listeners.get(name);
    if (listeners === undefined || listeners.size === 0) return;
    for (const listener of listeners) {
      queueMicrotask(() => outside(() => void this.#call(name, listener, event)));
    }
  }
}
