import helmet from '@fastify/helmet';
import Fastify from 'fastify';

/**
 * What every answer has for its safety. Helmet makes its headers anew for each request, and they are
 * always the same: they are made once, here, for one request of its own.
 */
export async function securityHeaders(): Promise<Readonly<Record<string, string>>> {
  const app = Fastify();
  await app.register(helmet, {
    contentSecurityPolicy,
    strictTransportSecurity: { includeSubDomains: false },
    xFrameOptions: { action: 'deny' },
  });
  app.get('/', async (_request, reply) => reply.raw.getHeaders());
  const { payload } = await app.inject('/');
  await app.close();
  return JSON.parse(payload) as Record<string, string>;
}

const contentSecurityPolicy = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'self'"],
    baseUri: ["'none'"],
    objectSrc: ["'none'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
  },
};
