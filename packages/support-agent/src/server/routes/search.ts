import type { FastifyInstance } from 'fastify';
import { searchAnswer } from '../answers.ts';
import { operation } from '../operations.ts';
import { presentPassage } from '../presenters.ts';
import { searchBody } from '../schemas.ts';
import type { Services } from '../services.ts';
import type { ZodTypeProvider } from '../validation.ts';

export async function searchRoutes(
  instance: FastifyInstance,
  { knowledge }: Services,
): Promise<void> {
  const app = instance.withTypeProvider<ZodTypeProvider>();

  const search = operation({
    id: 'search',
    tag: 'Knowledge',
    by: 'anybody',
    summary: 'Search the help articles',
    body: searchBody,
    answers: { 200: searchAnswer },
  });
  app.post('/api/search', { schema: search }, async (request) => {
    const { query, limit } = request.body;
    return { results: knowledge.search(query, { limit }).map(presentPassage) };
  });
}
