import type { FastifyInstance } from 'fastify';
import { HttpProblem } from '../errors/http-problem.ts';

/** Refuses a body that is compressed, which would be read as if it were not (RFC 9110, section 8.4). */
export function requirePlainBodies(app: FastifyInstance): void {
  app.addHook('onRequest', ({ headers }, _reply, done) => {
    const coding = headers['content-encoding'];
    if (coding === undefined || coding.toLowerCase() === 'identity') return done();
    throw new HttpProblem(
      'UNSUPPORTED_MEDIA_TYPE',
      'The body must not be compressed: send it as it is, without Content-Encoding.',
    );
  });
}
