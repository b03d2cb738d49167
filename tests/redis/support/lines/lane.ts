import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** One direction of a connection: everything in order, whatever has to wait. */
export class Lane {
  readonly #to: Socket;
  readonly #stopped: AbortSignal;
  #last: Promise<void> = Promise.resolve();

  /** @param stopped ends all waiting */
  constructor(to: Socket, stopped: AbortSignal) {
    this.#to = to;
    this.#stopped = stopped;
  }

  /** Resolves when all that was given to it so far is done. */
  get done(): Promise<void> {
    return this.#last;
  }

  write(bytes: Buffer): void {
    this.run(() => {
      if (this.#to.writable) this.#to.write(bytes);
    });
  }

  pause(ms: number): void {
    this.#last = this.#last.then(() =>
      sleep(ms, undefined, { signal: this.#stopped }).catch(() => {}),
    );
  }

  run(task: () => void): void {
    this.#last = this.#last.then(task);
  }
}
