import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { ListOptions, SessionManager } from 'holdfast';
import {
  cleanupAnswer,
  messageAnswer,
  revokedAnswer,
  sessionsAnswer,
  statsAnswer,
} from '../api/answers.ts';
import { operation } from '../api/operations.ts';
import { presentMessage, presentSession, presentStats } from '../api/presenters.ts';
import {
  idempotencyHeaders,
  listQuery,
  operatorMessageBody,
  sessionParams,
  userParams,
  userSessionsQuery,
} from '../api/schemas.ts';
import type { ZodTypeProvider } from '../api/validation.ts';
import type { Services } from '../services.ts';

/** What only operators may do. */
export async function operatorRoutes(
  instance: FastifyInstance,
  { sessions, gate }: Services,
): Promise<void> {
  const app = instance.withTypeProvider<ZodTypeProvider>();
  const operators = { tag: 'Operators', by: 'operators' } as const;
  app.addHook('onRequest', async (request) => gate.requireOperator(request));

  const list = operation({
    ...operators,
    id: 'listSessions',
    summary: 'List the sessions there are, by status and by user',
    querystring: listQuery,
    answers: { 200: sessionsAnswer },
  });
  app.get('/api/sessions', { schema: list }, async (request) => {
    const { user_id: userId, ...rest } = request.query;
    return pageOf(sessions, { userId, ...rest });
  });

  const listOfUser = operation({
    ...operators,
    id: 'listSessionsOfUser',
    summary: 'List the sessions of a user',
    params: userParams,
    querystring: userSessionsQuery,
    answers: { 200: sessionsAnswer },
  });
  app.get('/api/users/:id/sessions', { schema: listOfUser }, async (request) =>
    pageOf(sessions, { userId: request.params.id, ...request.query }),
  );

  const revoke = operation({
    ...operators,
    id: 'revokeUser',
    summary: 'End all sessions of a user',
    params: userParams,
    answers: { 200: revokedAnswer },
  });
  app.delete('/api/users/:id/sessions', { schema: revoke }, async (request) => ({
    revoked: await sessions.revokeUser(request.params.id),
  }));

  const revokeAll = operation({
    ...operators,
    id: 'revokeAll',
    summary: 'End every session there is',
    answers: { 200: revokedAnswer },
  });
  app.delete('/api/sessions', { schema: revokeAll }, async () => ({
    revoked: await sessions.revokeAll(),
  }));

  const say = operation({
    ...operators,
    id: 'sayAsOperator',
    summary: 'Write to a customer, as a person',
    description: [
      'Stored in the conversation with the role `operator`, whether or not a turn runs. Hand the',
      'session over first to keep the assistant silent. A closed session takes none. A repeat under its Idempotency-Key right',
      'after the first is stored once.',
    ].join(' '),
    params: sessionParams,
    headers: idempotencyHeaders,
    body: operatorMessageBody,
    answers: { 201: messageAnswer },
  });
  app.post('/api/sessions/:id/operator-messages', { schema: say }, async (request, reply) => {
    const { message: text } = request.body;
    const nonce = nonceOf(request.headers['idempotency-key'], text);
    const stored = await sessions.store.appendMessages(
      request.params.id,
      [{ role: 'operator', content: { text } }],
      { nonce, ifOpen: true },
    );
    return reply.status(201).send(stored.map(presentMessage)[0]);
  });

  const cleanup = operation({
    ...operators,
    id: 'cleanupSessions',
    summary: 'Remove what has expired, now',
    answers: { 200: cleanupAnswer },
  });
  app.post('/api/sessions/cleanup', { schema: cleanup }, async () => ({
    removed: await sessions.store.cleanupExpired(),
  }));

  const stats = operation({
    ...operators,
    id: 'getStats',
    summary: 'Show the session store’s figures',
    answers: { 200: statsAnswer },
  });
  app.get('/api/stats', { schema: stats }, async () =>
    presentStats(await sessions.store.getStats()),
  );
}

async function pageOf({ store }: SessionManager, options: ListOptions) {
  const { sessions, unreadable, cursor } = await store.listActive(options);
  return {
    sessions: sessions.map(presentSession),
    unreadable: unreadable.map(({ id, code, reason }) => ({ session_id: id, code, reason })),
    next_cursor: cursor,
  };
}

/** Another text under the same key is another message. */
function nonceOf(key: string | undefined, text: string): string | undefined {
  if (key === undefined) return undefined;
  return createHash('sha256').update(`${key}\n${text}`).digest('base64url');
}
