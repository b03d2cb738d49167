import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** What was on its way when the server began to close has arrived by then, in ms. */
const onItsWayMs = 1_000;

/**
 * Ends connections while the server closes, which waits for all of them: those that are kept alive with the answer that
 * is their last, and those that were opened ahead and never used, as browsers do.
 */
export function endConnectionsOnClose(app: FastifyInstance): void {
  let closing = false;
  const unused = new Map<string, Socket>();
  app.server.on('connection', (socket: Socket) => {
    const name = nameOf(socket);
    unused.set(name, socket);
    socket.once('close', () => unused.delete(name));
  });
  app.server.on('request', ({ socket }) => unused.delete(nameOf(socket)));
  app.addHook('preClose', async () => {
    closing = true;
    setTimeout(() => {
      for (const socket of unused.values()) socket.destroy();
    }, onItsWayMs).unref();
  });
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close');
  });
}

/** The same for a connection and for the TLS in it. */
function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
