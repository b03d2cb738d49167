import type { FastifyInstance } from 'fastify';
import { searchAnswer } from '../api/answers.ts';
import { operation } from '../api/operations.ts';
import { presentPassage } from '../api/presenters.ts';
import { searchBody } from '../api/schemas.ts';
import type { ZodTypeProvider } from '../api/validation.ts';
import type { Services } from '../services.ts';

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
