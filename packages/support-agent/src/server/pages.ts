import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { HttpProblem } from './errors/http-problem.ts';

const notBuilt =
  'The pages are not built: run "npm run build" and start again. The API at /api works without them.';
const year = 'public, max-age=31536000, immutable';

/** Serves the built pages, or says that they are not built. The API works without them. */
export async function pages(
  app: FastifyInstance,
  { directory }: { readonly directory: string },
): Promise<void> {
  if (!existsSync(join(directory, 'index.html'))) {
    for (const page of ['/', '/console']) {
      app.get(page, async () => {
        throw new HttpProblem('PAGE_NOT_BUILT', notBuilt);
      });
    }
    return;
  }
  await app.register(fastifyStatic, {
    root: directory,
    cacheControl: false,
    dotfiles: 'ignore',
    setHeaders(reply, path) {
      // Vite names its assets by their content, so these never change; all else is asked for anew.
      const isAsset = path.startsWith(join(directory, 'assets'));
      reply.header('cache-control', isAsset ? year : 'no-cache');
    },
  });
  app.get('/console', (_request, reply) => reply.sendFile('console.html'));
}
