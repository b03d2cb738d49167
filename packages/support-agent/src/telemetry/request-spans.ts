import {
  type Context,
  context,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { onReplyOver } from '../server/reply-over.ts';
import { tracer } from './tracer.ts';

/**
 * A span for each request, in the words of OpenTelemetry's semantic conventions for HTTP, below the one
 * that its `traceparent` names. It has the route and never the address, which may name users. What else
 * its headers carry for those below, as `baggage` does, reaches them without a tracer too.
 */
export function traceRequests(app: FastifyInstance): void {
  const contexts = new WeakMap<FastifyRequest, Context>();
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
    // Without a tracer the span is none.
    const own = isSpanContextValid(span.spanContext()) ? trace.setSpan(parent, span) : parent;
    if (own === ROOT_CONTEXT) return done();
    contexts.set(request, own);
    context.with(own, done);
  });
  // The body arrives in the socket's context.
  app.addHook('preValidation', (request, _reply, done) => {
    const own = contexts.get(request);
    if (own === undefined) done();
    else context.with(own, done);
  });
  onReplyOver(app, (request, status) => {
    const own = contexts.get(request);
    const span = own && trace.getSpan(own);
    span?.setAttribute('http.response.status_code', status);
    if (status >= 500) {
      span?.setAttribute('error.type', String(status));
      span?.setStatus({ code: SpanStatusCode.ERROR });
    }
    span?.end();
  });
}
