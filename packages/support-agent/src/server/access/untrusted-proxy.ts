import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Config } from 'holdfast';

/**
 * Warns, once, of a request that a proxy seems to have passed on, where none is trusted and sessions are
 * bound to addresses: they are all bound to the proxy's then. Anybody may send the header, so it is no more
 * than a warning, and has nothing of the request in it.
 */
export function noticeUntrustedProxy(
  app: FastifyInstance,
  { server: { trustedProxies }, fingerprint }: Pick<Config, 'server' | 'fingerprint'>,
): void {
  const { enabled, strict, bind } = fingerprint;
  if (!enabled || !bind.includes('ip')) return;
  if (typeof trustedProxies === 'number' || trustedProxies.length > 0) return;
  let isTold = false;
  const notice = (headers: FastifyRequest['headers']) => {
    if (!('x-forwarded-for' in headers || 'forwarded' in headers)) return;
    const header = 'x-forwarded-for' in headers ? 'X-Forwarded-For' : 'Forwarded';
    isTold = true;
    const consequence = strict
      ? 'SESSION_FINGERPRINT_STRICT=true refuses clients that come by another one'
      : 'clients that come by another one seem to be others';
    app.log.warn(
      { setting: 'TRUSTED_PROXIES' },
      `A request came with ${header}, and TRUSTED_PROXIES is not set: behind a proxy every client has its address, ${consequence}, and the rate limit counts all of them as one; list your proxies (where there are none, a client has sent the header, and nothing is wrong)`,
    );
  };
  app.addHook('onRequest', ({ headers }, _reply, done) => {
    if (!isTold) notice(headers);
    done();
  });
}
