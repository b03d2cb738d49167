import type { Logger } from '../store/emitter.ts';

/** Warns, once, of user ids that encryption does not hide because they are session ids too. */
export class ClearIdWarning {
  readonly #logger: Logger;
  #given = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  check(sessionId: string, userId: string | null): void {
    if (this.#given || sessionId !== userId) return;
    this.#given = true;
    this.#logger.warn(
      {},
      'A session has its user’s id as its own: session ids are not encrypted. Leave sessionId out to get random ones',
    );
  }
}
