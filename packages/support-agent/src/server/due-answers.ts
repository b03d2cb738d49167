import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The answers that are due over each connection. Clients may send a request before the last is answered
 * (RFC 9112, section 9.3.2): answers go out in the order of the requests, and each must have its turn.
 */
export class DueAnswers {
  readonly #answers = new WeakMap<Socket, ServerResponse[]>();
  readonly #listeners: ((socket: Socket) => void)[] = [];

  watch(server: Server): void {
    // Before whoever answers them.
    server.prependListener('request', ({ socket }: IncomingMessage, answer: ServerResponse) => {
      const due = this.#answers.get(socket) ?? [];
      if (due.length === 0) this.#answers.set(socket, due);
      due.push(answer);
      answer.once('close', () => {
        due.splice(due.indexOf(answer), 1);
        for (const tell of this.#listeners) tell(socket);
      });
    });
  }

  /** Calls `listener` with the connection each time one of its answers has been sent or given up. */
  onAnswered(listener: (socket: Socket) => void): void {
    this.#listeners.push(listener);
  }

  /** Whether an answer is due to a request that has arrived in full, or one is there and has yet to be sent. */
  isOwing(socket: Socket): boolean {
    const due = this.#answers.get(socket) ?? [];
    return due.some(({ req, writableEnded }) => req.complete || writableEnded);
  }

  /** Whether some of an answer has been sent, and the rest of it is due. */
  isAnswering(socket: Socket): boolean {
    return this.#answers.get(socket)?.[0]?.headersSent ?? false;
  }

  /** Whether an answer to any request is due, if only to one that is still arriving. */
  isBusy(socket: Socket): boolean {
    return (this.#answers.get(socket)?.length ?? 0) > 0;
  }

  /** Whether requests have come behind this one. */
  isFollowed(request: IncomingMessage): boolean {
    const newest = this.#answers.get(request.socket)?.at(-1);
    return newest !== undefined && newest.req !== request;
  }
}
