import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The requests of each connection that wait for their answers. Clients may send one before the last is
 * answered (RFC 9112, section 9.3.2): answers go out in the order of the requests, and each must have its turn.
 */
export class DueAnswers {
  readonly #requests = new WeakMap<Socket, IncomingMessage[]>();
  readonly #listeners: ((socket: Socket) => void)[] = [];

  watch(server: Server): void {
    // Before whoever answers them.
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      const { socket } = request;
      const due = this.#requests.get(socket) ?? [];
      if (due.length === 0) this.#requests.set(socket, due);
      due.push(request);
      response.once('close', () => {
        due.splice(due.indexOf(request), 1);
        for (const tell of this.#listeners) tell(socket);
      });
    });
  }

  /** Calls `listener` with the connection each time one of its answers has been sent or given up. */
  onAnswered(listener: (socket: Socket) => void): void {
    this.#listeners.push(listener);
  }

  /** Whether an answer is due to a request that has arrived in full. */
  isOwing(socket: Socket): boolean {
    return this.#requests.get(socket)?.some(({ complete }) => complete) ?? false;
  }

  /** Whether an answer to any request is due, if only to one that is still arriving. */
  isBusy(socket: Socket): boolean {
    return (this.#requests.get(socket)?.length ?? 0) > 0;
  }

  /** Whether requests have come behind this one. */
  isFollowed(request: IncomingMessage): boolean {
    const newest = this.#requests.get(request.socket)?.at(-1);
    return newest !== undefined && newest !== request;
  }
}
