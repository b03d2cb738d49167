import type { FastifyInstance } from 'fastify';
import { SessionNotFoundError, ValidationError } from 'holdfast';
import {
  newSessionAnswer,
  nothing,
  othersAnswer,
  revokedAnswer,
  sessionAnswer,
} from '../api/answers.ts';
import { operation } from '../api/operations.ts';
import { presentSession } from '../api/presenters.ts';
import { createSessionBody, sessionParams, statusBody, userSessionsQuery } from '../api/schemas.ts';
import type { ZodTypeProvider } from '../api/validation.ts';
import { clearedCookie, freshCookie } from '../cookies.ts';
import { HttpProblem } from '../errors/http-problem.ts';
import type { Services } from '../services.ts';
import { setStatus } from '../set-status.ts';

export async function sessionRoutes(
  instance: FastifyInstance,
  { sessions, gate, audit }: Services,
): Promise<void> {
  const app = instance.withTypeProvider<ZodTypeProvider>();

  const create = operation({
    id: 'createSession',
    tag: 'Sessions',
    by: 'anybody',
    summary: 'Open a session',
    description: 'The token is in the answer, and in a cookie for browsers.',
    body: createSessionBody,
    answers: { 201: newSessionAnswer },
  });
  app.post('/api/sessions', { schema: create }, async (request, reply) => {
    const { user_id: userId, metadata } = request.body ?? {};
    if (userId !== undefined && !gate.caller(request).operator) {
      throw new HttpProblem(
        'OPERATOR_ONLY',
        'Only a caller with the operator key can say whose session it is. Leave user_id out, or send ADMIN_API_KEY as Authorization: Bearer.',
      );
    }
    if (metadata !== undefined && Object.hasOwn(metadata, 'support')) {
      throw new ValidationError(
        'metadata.support is what the assistant itself remembers. Give your own data another name.',
      );
    }
    const client = gate.boundClient(request);
    const { session, token } = await sessions.create({ userId, metadata, client });
    audit.created(request, session.id, token);
    return reply
      .status(201)
      .header('location', `/api/sessions/${session.id}`)
      .header('set-cookie', freshCookie(request, token))
      .send({ ...presentSession(session), token });
  });

  const show = operation({
    id: 'getSession',
    tag: 'Sessions',
    by: 'session',
    summary: 'Show a session',
    params: sessionParams,
    answers: { 200: sessionAnswer },
  });
  app.get('/api/sessions/:id', { schema: show }, async (request) =>
    presentSession(await gate.session(request, request.params.id)),
  );

  const end = operation({
    id: 'endSession',
    tag: 'Sessions',
    by: 'session',
    summary: 'End a session',
    description:
      'Its conversation is removed, its token is void, and its streams end. An operator ends also one that cannot be read.',
    params: sessionParams,
    answers: { 204: nothing },
  });
  app.delete('/api/sessions/:id', { schema: end }, async (request, reply) => {
    const { id } = request.params;
    if (gate.caller(request).operator) {
      // Not read before: one that cannot be read must be possible to end.
      if (!(await sessions.revoke(id)))
        throw new SessionNotFoundError(`There is no session ${id}.`);
    } else {
      await gate.session(request, id);
      await sessions.revoke(id);
      reply.header('set-cookie', clearedCookie(request));
    }
    audit.revoked(request, id);
    return reply.status(204).send();
  });

  const rotate = operation({
    id: 'rotateToken',
    tag: 'Sessions',
    by: 'session',
    summary: 'Give a session a new token',
    description: [
      'The old token is void at once, everywhere; the session is bound to the client that asks. Asked for with',
      'the old token it is no login for sensitive tools; after one your own server asks with the operators’ key.',
    ].join(' '),
    params: sessionParams,
    answers: { 200: newSessionAnswer },
  });
  app.post('/api/sessions/:id/token', { schema: rotate }, async (request, reply) => {
    const { id } = await gate.session(request, request.params.id);
    const caller = gate.caller(request);
    const oldToken = caller.operator ? undefined : caller.token;
    const client = gate.boundClient(request);
    const { session, token } = await sessions.rotateToken(id, client, oldToken);
    audit.rotated(request, id, token);
    if (!caller.operator) reply.header('set-cookie', freshCookie(request, token));
    return { ...presentSession(session), token };
  });

  const listOthers = operation({
    id: 'listOthers',
    tag: 'Sessions',
    by: 'session',
    summary: 'List the other sessions of this session’s user',
    description: [
      'Whose session it is only an operator can say, when it is opened; a session of nobody has no',
      'others. Of each there is its handle, and never a token. One that cannot be read is not named,',
      'and a page may hold fewer than `limit`, also where others follow: those are there as long as',
      'there is a `next_cursor`.',
    ].join(' '),
    params: sessionParams,
    querystring: userSessionsQuery,
    answers: { 200: othersAnswer },
  });
  app.get('/api/sessions/:id/others', { schema: listOthers }, async (request) => {
    const { id, userId } = await gate.session(request, request.params.id);
    if (userId === null) return { sessions: [], next_cursor: null };
    const page = await sessions.store.listActive({ userId, ...request.query });
    const others = page.sessions.filter((session) => session.id !== id);
    return { sessions: others.map(presentSession), next_cursor: page.cursor };
  });

  const endOthers = operation({
    id: 'endOthers',
    tag: 'Sessions',
    by: 'session',
    summary: 'End the other sessions of this session’s user',
    params: sessionParams,
    answers: { 200: revokedAnswer },
  });
  app.delete('/api/sessions/:id/others', { schema: endOthers }, async (request) => {
    const { id } = await gate.session(request, request.params.id);
    return { revoked: await sessions.revokeOthers(id) };
  });

  const changeStatus = operation({
    id: 'setStatus',
    tag: 'Sessions',
    by: 'session',
    summary: 'Close a session, hand it over, or take it back',
    description: [
      'A customer may close their own session: it stays readable, and takes no more messages.',
      'Only operators may do the rest: `handed_over` gives the conversation to a person, and the',
      'assistant keeps silent from the next message on (one that is being answered gets its answer);',
      '`active` gives it back to the assistant, or reopens it, and takes',
      'the escalation as dealt with. A ticket that comes after the caller’s look would be dealt with',
      'unseen: with the ticket that was seen as `if_ticket`, or null for none, nothing changes where that is',
      'not what is open any more (409, `TICKET_CHANGED`).',
    ].join(' '),
    params: sessionParams,
    body: statusBody,
    answers: { 200: sessionAnswer },
  });
  app.patch('/api/sessions/:id/status', { schema: changeStatus }, async (request) => {
    const { status, if_ticket: ifTicket } = request.body;
    const session = await gate.session(request, request.params.id);
    if (status !== 'closed') {
      gate.requireOperator(request, 'A customer can only close their session.');
    }
    return presentSession(await setStatus(sessions.store, session, { status, ifTicket }));
  });
}
