/** The signal of a request: it aborts as its caller's does, and where nothing is heard for so long. */
export class Patience {
  readonly #request = new AbortController();
  readonly signal = this.#request.signal;
  readonly #caller: AbortSignal;
  readonly #ms: number;
  readonly #stop = () => this.#request.abort();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(caller: AbortSignal, ms: number) {
    this.#caller = caller;
    this.#ms = ms;
    caller.addEventListener('abort', this.#stop);
    if (caller.aborted) this.#stop();
    this.heard();
  }

  /** It waits as long again. */
  heard(): void {
    this.rest();
    this.#timer = setTimeout(this.#stop, this.#ms);
  }

  /** It waits for nothing any more, and still aborts as its caller's. */
  rest(): void {
    clearTimeout(this.#timer);
  }

  end(): void {
    this.rest();
    this.#caller.removeEventListener('abort', this.#stop);
  }
}
