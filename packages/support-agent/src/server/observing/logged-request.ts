import type { FastifyRequest } from 'fastify';

/**
 * What a log line says of a request: neither its query nor a user's id in its path nor its client's
 * address, none of which a log is for. Session ids are handles, and stay.
 */
export function loggedRequest({ method, routeOptions, params }: FastifyRequest): object {
  const route = routeOptions.url ?? 'none';
  const { id } = (params ?? {}) as { readonly id?: string };
  const isSession = id !== undefined && route.startsWith('/api/sessions/');
  return { method, url: isSession ? route.replace(':id', id.slice(0, 255)) : route };
}
