import type { Socket } from 'node:net';
import { setImmediate as allDueNow } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/** What was on its way when the server began to close has arrived by then, in ms. */
const onItsWayMs = 1_000;

/**
 * While the server closes: takes the connections that have reached it (for a second at most, where new ones come
 * all the time), for they are reset otherwise, whatever was sent over them; and ends those that it would wait for: those that are kept alive with the answer that is
 * their last, and those that were opened ahead and never used, as browsers do.
 */
export function endConnectionsOnClose(app: FastifyInstance): void {
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
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close');
  });
}

/** The event loop accepts one connection in a turn: once a whole turn brought none, there are no more. */
async function untilSteady(count: () => number): Promise<void> {
  const until = performance.now() + onItsWayMs;
  // The turn that is under way may be past the place where it accepts.
  for (let quiet = 0; quiet < 2 && performance.now() < until; ) {
    const before = count();
    await allDueNow();
    quiet = count() === before ? quiet + 1 : 0;
  }
}

/** The same for a connection and for the TLS in it. */
function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
