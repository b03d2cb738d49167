import type { FastifyInstance } from 'fastify';
import { clearedCookie, freshCookie } from '../cookies.ts';
import { HttpProblem } from '../http-problem.ts';
import { presentSession } from '../presenters.ts';
import { createSessionBody, sessionParams } from '../schemas.ts';
import type { Services } from '../services.ts';
import type { ZodTypeProvider } from '../validation.ts';

export async function sessionRoutes(
  instance: FastifyInstance,
  { sessions, gate }: Services,
): Promise<void> {
  const app = instance.withTypeProvider<ZodTypeProvider>();

  app.post('/api/sessions', { schema: { body: createSessionBody } }, async (request, reply) => {
    const { user_id: userId, metadata } = request.body ?? {};
    if (userId !== undefined && !gate.caller(request).operator) {
      throw new HttpProblem(
        'OPERATOR_ONLY',
        'Only a caller with the operator key can say whose session it is. Leave user_id out, or send ADMIN_API_KEY as Authorization: Bearer.',
      );
    }
    const client = gate.client(request);
    const { session, token } = await sessions.create({ userId, metadata, client });
    return reply
      .status(201)
      .header('location', `/api/sessions/${session.id}`)
      .header('set-cookie', freshCookie(request, token))
      .send({ ...presentSession(session), token });
  });

  app.get('/api/sessions/:id', { schema: { params: sessionParams } }, async (request) =>
    presentSession(await gate.session(request, request.params.id)),
  );

  app.delete('/api/sessions/:id', { schema: { params: sessionParams } }, async (request, reply) => {
    const { id } = await gate.session(request, request.params.id);
    await sessions.revoke(id);
    if (!gate.caller(request).operator) reply.header('set-cookie', clearedCookie(request));
    return reply.status(204).send();
  });
}
