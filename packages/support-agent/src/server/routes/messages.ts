import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { MessageRequest, StartedMessage } from '../../agent/customer-support-agent.ts';
import { prefersEventStream } from '../api/accept.ts';
import { historyAnswer, replyAnswer } from '../api/answers.ts';
import { operation } from '../api/operations.ts';
import { presentMessage, presentReply } from '../api/presenters.ts';
import { historyQuery, idempotencyHeaders, messageBody, sessionParams } from '../api/schemas.ts';
import type { ZodTypeProvider } from '../api/validation.ts';
import { problemInStream } from '../errors/error-handler.ts';
import type { Services } from '../services.ts';
import { framed } from '../streams/event-stream.ts';
import { followedBy, MessageEvents } from '../streams/turn-stream.ts';

export async function messageRoutes(instance: FastifyInstance, services: Services): Promise<void> {
  const app = instance.withTypeProvider<ZodTypeProvider>();
  const { sessions, agent, gate, giveUp, limits } = services;

  const say = operation({
    id: 'say',
    tag: 'Messages',
    by: 'session',
    summary: 'Send a message and get its answer',
    description: [
      'With `Accept: text/event-stream` the same is a stream: the live events of the turn',
      '(`turn.started`, `text` for each piece of the answer, `tool`, `step_up`, `answer`,',
      '`left_to_person`,',
      '`turn.completed`, `turn.failed`), each with its seq as id, and at the end either `reply` with',
      'what the plain request would have been answered, or `error` with the problem. A repeat under',
      'its Idempotency-Key has no events but its `reply`. What is refused before the turn begins is',
      'refused with its own status, as JSON. A client that leaves stops nothing: the answer is in',
      'the conversation.',
    ].join(' '),
    params: sessionParams,
    headers: idempotencyHeaders,
    body: messageBody,
    answers: { 200: replyAnswer },
    produces: ['application/json', 'text/event-stream'],
  });
  // The request's own end is not handed on: a customer who leaves finds the answer on coming back.
  app.post('/api/sessions/:id/messages', { schema: say }, async (request, reply) => {
    const caller = gate.caller(request);
    if (!caller.operator) await limits.message(request.params.id, caller.token);
    const client = gate.boundClient(request);
    const message = {
      sessionId: request.params.id,
      message: request.body.message,
      token: caller.operator ? undefined : caller.token,
      idempotencyKey: request.headers['idempotency-key'],
      requestId: request.id,
      signal: giveUp,
      ...(client && { ipAddress: client.ipAddress, userAgent: client.userAgent }),
    };
    if (prefersEventStream(request.headers.accept)) {
      return streamReply(services, message, request, reply);
    }
    return presentReply(await agent.processMessage(message));
  });

  const history = operation({
    id: 'listMessages',
    tag: 'Messages',
    by: 'session',
    summary: 'Read the conversation, a page at a time from its end',
    params: sessionParams,
    querystring: historyQuery,
    answers: { 200: historyAnswer },
  });
  app.get('/api/sessions/:id/messages', { schema: history }, async (request) => {
    const { limit, before } = request.query;
    const { id } = await gate.session(request, request.params.id);
    const messages = await sessions.store.messages(id, { limit, before });
    const oldest = messages[0]?.seq ?? 1;
    return {
      messages: messages.map(presentMessage),
      next_before: messages.length === limit && oldest > 1 ? oldest : null,
    };
  });
}

/** The turn's events and its reply. Until the turn has begun nothing is sent, so that it can be refused. */
async function streamReply(
  { agent, streams, clock }: Services,
  message: MessageRequest,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  return streams.turn(reply, async (stream) => {
    const started = agent.startMessage(message);
    const events = new MessageEvents(started, clock);
    const left = new Promise<null>((resolve) => {
      stream.onOver(() => {
        events.close();
        resolve(null);
      });
    });
    try {
      const first = await events.next();
      // Without an event it has been answered before, or has failed: then with a status.
      if (first === null) await Promise.race([left, started.reply]);
      stream.open();
      if (first !== null) await stream.send(first);
      // Who has left does not keep the stream until the answer is there.
      const last = () => Promise.race([left, lastEvent(started.reply, request)]);
      const next = followedBy(events.next, last);
      await stream.relay(next(), next);
    } finally {
      events.close();
    }
    await stream.end();
  });
}

/** How a message ended. */
async function lastEvent(reply: StartedMessage['reply'], request: FastifyRequest): Promise<string> {
  try {
    return framed({ event: 'reply', data: presentReply(await reply) });
  } catch (error) {
    return framed({ event: 'error', data: problemInStream(error, request) });
  }
}
