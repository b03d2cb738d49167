import {
  type Context,
  context,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { onReplyOver } from '../server/reply-over.ts';
import { tracer } from './tracer.ts';

/**
 * A span for each request, in the words of OpenTelemetry's semantic conventions for HTTP, below the one
 * that its `traceparent` names. It has the route and never the address, which may name users.
 */
export function traceRequests(app: FastifyInstance): void {
  const contexts = new WeakMap<FastifyRequest, Context>();
  const within = (request: FastifyRequest, done: () => void) => {
    context.with(contexts.get(request) ?? context.active(), done);
  };
  app.addHook('onRequest', (request, _reply, done) => {
    const parent = propagation.extract(context.active(), request.headers);
    const route = request.routeOptions.url;
    const span = tracer.startSpan(
      route === undefined ? request.method : `${request.method} ${route}`,
      {
        kind: SpanKind.SERVER,
        attributes: {
          'http.request.method': request.method,
          'url.scheme': request.protocol,
          ...(route !== undefined && { 'http.route': route }),
        },
      },
      parent,
    );
    contexts.set(request, trace.setSpan(parent, span));
    within(request, done);
  });
  // The body arrives in the socket's context.
  app.addHook('preValidation', (request, _reply, done) => within(request, done));
  onReplyOver(app, (request, status) => {
    const span = trace.getSpan(contexts.get(request) ?? context.active());
    span?.setAttribute('http.response.status_code', status);
    if (status >= 500) {
      span?.setAttribute('error.type', String(status));
      span?.setStatus({ code: SpanStatusCode.ERROR });
    }
    span?.end();
  });
}
