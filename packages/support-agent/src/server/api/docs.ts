import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

/** The page at `/docs` that shows the document at `/docs/json`. */
export async function docs(app: FastifyInstance): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    theme: { title: 'Holdfast Support: the API' },
    // Without the bar on which other documents could be opened.
    uiConfig: { layout: 'BaseLayout' },
    // Its icons are in its style sheet and scripts. Nothing is loaded from elsewhere, or runs inline.
    transformStaticCSP: (policy) => `${policy};img-src 'self' data:`,
  });
}
