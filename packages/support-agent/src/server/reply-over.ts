import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** What nginx logs for it: the client closed the connection before it had its answer. */
const clientLeft = 499;

/**
 * Calls `listener` once for each request when its answer is over: sent, or given up since the client has
 * left. (`onResponse` comes only with the first.)
 */
export function onReplyOver(
  app: FastifyInstance,
  listener: (request: FastifyRequest, status: number, reply: FastifyReply) => void,
): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { raw } = reply;
    const over = (status: number) => {
      raw.off('finish', sent).off('close', left);
      listener(request, status, reply);
    };
    const sent = () => over(reply.statusCode);
    const left = () => over(clientLeft);
    raw.on('finish', sent).on('close', left);
    done();
  });
}
