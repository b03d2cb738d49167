export { clientFrom, type ProxyTrust, trustProxies } from './lib/http/client-from.ts';
export { clientNetwork } from './lib/http/client-network.ts';
export type { HeaderSource } from './lib/http/headers.ts';
export { type Problem, toProblem } from './lib/http/problem.ts';
export { readToken, type SessionCookieOptions, sessionCookie } from './lib/http/session-token.ts';
export type { ClientInfo } from './lib/manager/client-binding.ts';
