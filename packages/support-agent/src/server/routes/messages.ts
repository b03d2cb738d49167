import type { FastifyInstance } from 'fastify';
import { presentMessage, presentReply } from '../presenters.ts';
import { historyQuery, messageBody, messageHeaders, sessionParams } from '../schemas.ts';
import type { Services } from '../services.ts';
import type { ZodTypeProvider } from '../validation.ts';

export async function messageRoutes(
  instance: FastifyInstance,
  { sessions, agent, gate }: Services,
): Promise<void> {
  const app = instance.withTypeProvider<ZodTypeProvider>();

  // The request's own end is not handed on: a customer who leaves finds the answer on coming back.
  app.post(
    '/api/sessions/:id/messages',
    { schema: { params: sessionParams, headers: messageHeaders, body: messageBody } },
    async (request) => {
      const caller = gate.caller(request);
      const reply = await agent.processMessage({
        ...gate.client(request),
        sessionId: request.params.id,
        message: request.body.message,
        token: caller.operator ? undefined : caller.token,
        idempotencyKey: request.headers['idempotency-key'],
      });
      return presentReply(reply);
    },
  );

  app.get(
    '/api/sessions/:id/messages',
    { schema: { params: sessionParams, querystring: historyQuery } },
    async (request) => {
      const { limit, before } = request.query;
      const { id } = await gate.session(request, request.params.id);
      const messages = await sessions.store.messages(id, { limit, before });
      const oldest = messages[0]?.seq ?? 1;
      return {
        messages: messages.map(presentMessage),
        // The next page's `before`; null when there is certainly nothing older.
        next_before: messages.length === limit && oldest > 1 ? oldest : null,
      };
    },
  );
}
