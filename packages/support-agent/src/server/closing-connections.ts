import type { Socket } from 'node:net';
import { setImmediate as allDueNow } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { DueAnswers } from './due-answers.ts';
import { HttpProblem } from './errors/http-problem.ts';

/** What was on its way when the server began to close has arrived by then, in ms. */
const onItsWayMs = 1_000;
/** So many connections wait in the system for a server that listens (Node's `backlog`, unless told otherwise). */
const mostWaiting = 511;
/** So long a client has for the rest of its last answer. */
const lingerMs = 1_000;

/**
 * While the server closes: takes the connections that have reached it (so many as can wait, where new ones come
 * all the time), for they are reset otherwise, whatever was sent over them; and ends those that it would wait for:
 * those that are kept alive, each with the last answer that is due over it, and those that were opened ahead and
 * never used, as browsers do.
 */
export function endConnectionsOnClose(app: FastifyInstance, answers: DueAnswers): void {
  let closing = false;
  let accepted = 0;
  const unused = new Map<string, Socket>();
  app.server.on('connection', (socket: Socket) => {
    accepted += 1;
    const name = nameOf(socket);
    unused.set(name, socket);
    socket.once('close', () => unused.delete(name));
  });
  app.server.on('request', ({ socket }) => unused.delete(nameOf(socket)));
  app.addHook('preClose', async () => {
    closing = true;
    await untilSteady(() => accepted);
    setTimeout(() => {
      for (const socket of unused.values()) socket.destroy();
    }, onItsWayMs).unref();
  });
  /** Those that have been told that they are over: no answer gets through them any more. */
  const told = new WeakSet<Socket>();
  app.addHook('onRequest', ({ raw }, _reply, done) => {
    done(told.has(raw.socket) ? new HttpProblem('SERVER_CLOSING', notDone) : undefined);
  });
  app.addHook('onSend', async ({ raw }, reply) => {
    if (!closing || answers.isFollowed(raw)) return;
    told.add(raw.socket);
    reply.header('connection', 'close');
  });
  answers.onAnswered((socket) => {
    if (!closing || answers.isBusy(socket)) return;
    told.add(socket);
    endSoon(socket);
  });
}

const notDone =
  'The server is stopping, and did nothing of this. Send it again: another one answers.';

/**
 * An answer that was begun before the server closed does not end its connection. Closed at once, that would be
 * reset by whatever its client still sends, and what the client has not read would be lost; left open, a client
 * that never reads would keep the server from closing.
 */
function endSoon(socket: Socket): void {
  socket.end();
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
}

/** The event loop accepts one connection in a turn: once a whole turn brought none, there are no more. */
async function untilSteady(count: () => number): Promise<void> {
  const last = count() + mostWaiting;
  // The turn that is under way may be past the place where it accepts.
  for (let quiet = 0; quiet < 2 && count() < last; ) {
    const before = count();
    await allDueNow();
    quiet = count() === before ? quiet + 1 : 0;
  }
}

/** The same for a connection and for the TLS in it. */
function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
