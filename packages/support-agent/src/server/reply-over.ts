import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** What nginx logs for it: the client closed the connection before it had its answer. */
const clientLeft = 499;

type Listener = (request: FastifyRequest, status: number, reply: FastifyReply) => void;

/** One hook of each app serves them all: a response warns of its eleventh listener. */
const listenersOf = new WeakMap<FastifyInstance, Listener[]>();

/**
 * Calls `listener` once for each request when its answer is over: sent, or given up since the client has
 * left. (`onResponse` comes only with the first.)
 */
export function onReplyOver(app: FastifyInstance, listener: Listener): void {
  const known = listenersOf.get(app);
  if (known !== undefined) {
    known.push(listener);
    return;
  }
  const listeners = [listener];
  listenersOf.set(app, listeners);
  app.addHook('onRequest', (request, reply, done) => {
    const { raw } = reply;
    const over = (status: number) => {
      raw.off('finish', sent).off('close', left);
      for (const tell of listeners) tell(request, status, reply);
    };
    const sent = () => over(reply.statusCode);
    const left = () => over(clientLeft);
    raw.on('finish', sent).on('close', left);
    done();
  });
}
