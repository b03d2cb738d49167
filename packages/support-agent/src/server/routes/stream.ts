import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HoldfastError } from 'holdfast';
import { eventStream } from '../api/answers.ts';
import { operation } from '../api/operations.ts';
import { sessionParams, streamHeaders, streamQuery } from '../api/schemas.ts';
import type { ZodTypeProvider } from '../api/validation.ts';
import { problemInStream } from '../errors/error-handler.ts';
import type { Services } from '../services.ts';
import { type EventStream, framed } from '../streams/event-stream.ts';
import { eventsOf } from '../streams/turn-stream.ts';

export async function streamRoutes(instance: FastifyInstance, services: Services): Promise<void> {
  const app = instance.withTypeProvider<ZodTypeProvider>();
  const { gate, streams } = services;

  const watch = operation({
    id: 'watchSession',
    tag: 'Messages',
    by: 'session',
    summary: 'Watch a session live',
    description: [
      'The live events of all its turns, wherever they run, each with its seq as id. With',
      '`Last-Event-ID` (or `after`) it goes on behind that event, at any instance; without, it begins',
      'with what comes next. At most 1,024 events and 256 KB are kept for coming back, and what is',
      'older than a minute goes when the next turn begins: where some is missing, `turn.gap` says so.',
      'The stream ends with `session.ended` (also when its reader may no longer read), with',
      '`server.closing` (come back at once), or with `error` and a problem. A reader to whom 16 KB',
      'cannot be sent in 60 s is let go.',
    ].join(' '),
    params: sessionParams,
    querystring: streamQuery,
    headers: streamHeaders,
    answers: { 200: eventStream },
    produces: ['text/event-stream'],
  });
  app.get(
    '/api/sessions/:id/stream',
    { schema: watch, exposeHeadRoute: false, config: { isWatching: true } },
    async (request, reply) => {
      const { id } = await gate.session(request, request.params.id);
      const after = request.headers['last-event-id'] ?? request.query.after;
      return streams.watch(reply, async (stream) => {
        await follow(services, stream, { id, after, request });
      });
    },
  );
}

interface Place {
  readonly id: string;
  readonly after: number | undefined;
  readonly request: FastifyRequest;
}

async function follow(
  { sessions, gate }: Services,
  stream: EventStream,
  { id, after, request }: Place,
): Promise<void> {
  let take = () => {};
  const placed = new Promise<void>((resolve) => {
    take = resolve;
  });
  const events = sessions
    .subscribe(id, { after, signal: stream.signal, onReady: take })
    [Symbol.asyncIterator]();
  const next = eventsOf(events);
  const first = next();
  // What keeps it from being read is a refusal; and whoever sees it open misses nothing.
  await Promise.race([placed, first]);
  stream.open();
  stream.flush();
  try {
    await stream.relay(first, next, () => mayStay(gate.sessionStill(request, id)));
    await stream.send(stream.stopped ? serverClosing : sessionEnded);
  } catch (error) {
    await stream.send(framed({ event: 'error', data: problemInStream(error, request) }));
  } finally {
    await events.return?.();
  }
  await stream.end();
}

const serverClosing = framed({ event: 'server.closing', data: {}, retry: 1_000 });
const sessionEnded = framed({ event: 'session.ended', data: {} });

/** Whether the reader's token still is the session's. While the store cannot tell, it stays. */
async function mayStay(session: Promise<unknown>): Promise<boolean> {
  try {
    await session;
    return true;
  } catch (error) {
    return !(error instanceof HoldfastError && error.status < 500);
  }
}
