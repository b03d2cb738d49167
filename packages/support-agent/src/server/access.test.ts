import { describe, expect, it } from 'vitest';
import { expectProblem, operator, startTestApp } from '../testing/test-app.ts';

const routes = [
  ['GET', ''],
  ['DELETE', ''],
  ['GET', '/messages'],
  ['POST', '/messages'],
  ['GET', '/stream'],
  ['PATCH', '/status'],
] as const;

/** What a request must have to be looked at. */
function payloadOf(method: string): { payload?: object } {
  if (method === 'POST') return { payload: { message: 'Hi' } };
  return method === 'PATCH' ? { payload: { status: 'closed' } } : {};
}

describe('who may use a session', () => {
  it.each(routes)(
    '%s /api/sessions/:id%s tells an unknown session, a wrong token and another’s token not apart',
    async (method, path) => {
      const { request, open } = await startTestApp();
      const mine = await open();
      const other = await open();
      const payload = payloadOf(method);
      const ask = (url: string, headers: Record<string, string>) =>
        request(method, `${url}${path}`, { headers, ...payload });
      const wrong = { authorization: `${mine.auth.authorization.slice(0, -4)}AAAA` };
      const refusals = [
        await ask(mine.url, {}),
        await ask(mine.url, wrong),
        await ask(mine.url, other.auth),
        await ask(mine.url, { authorization: 'Bearer nonsense' }),
        await ask(mine.url, { authorization: 'Basic a2ltOmtpbQ==' }),
        await ask(mine.url, { cookie: `holdfast=${other.token}` }),
        await ask('/api/sessions/nobody', mine.auth),
        await ask('/api/sessions/nobody', {}),
      ];
      for (const refusal of refusals) {
        expectProblem(refusal, 401, 'INVALID_TOKEN');
        expect(refusal.body).toBe(refusals[0]?.body);
        expect(refusal.headers['www-authenticate']).toBe('Bearer');
      }
      expect((await request('GET', mine.url, { headers: mine.auth })).json()).toMatchObject({
        message_count: 0,
      });
    },
  );

  it.each(routes)(
    '%s /api/sessions/:id%s tells an operator of an unknown session',
    async (method, path) => {
      const { request } = await startTestApp();
      const payload = payloadOf(method);
      const response = await request(method, `/api/sessions/nobody${path}`, {
        headers: operator,
        ...payload,
      });
      expectProblem(response, 404, 'SESSION_NOT_FOUND');
    },
  );

  it('takes the operator key from the header only, not from a cookie', async () => {
    const { request, open } = await startTestApp();
    const { url } = await open();
    const key = operator.authorization.slice('Bearer '.length);
    const response = await request('GET', url, { headers: { cookie: `holdfast=${key}` } });
    expectProblem(response, 401, 'INVALID_TOKEN');
  });

  it.each(['key', 'api_key', 'access_token', 'authorization', 'admin_api_key', 'token'])(
    'takes no key and no token from a URL: ?%s=',
    async (name) => {
      const { request, open } = await startTestApp();
      const { url, token } = await open();
      const key = operator.authorization.slice('Bearer '.length);
      for (const secret of [key, `Bearer ${key}`, token]) {
        const query = new URLSearchParams({ [name]: secret });
        expectProblem(await request('GET', `${url}?${query}`), 401, 'INVALID_TOKEN');
        const stats = await request('GET', `/api/stats?${query}`);
        expect(stats.statusCode).toBeGreaterThanOrEqual(400);
        expect(stats.statusCode).toBeLessThan(500);
      }
    },
  );
});

describe('requests that another site made a browser send', () => {
  it.each([
    ['Sec-Fetch-Site: cross-site', { 'sec-fetch-site': 'cross-site' }],
    ['Sec-Fetch-Site: same-site', { 'sec-fetch-site': 'same-site' }],
    ['a foreign Origin', { origin: 'https://evil.example' }],
    ['Origin: null', { origin: 'null' }],
    ['the Origin of another port', { origin: 'http://localhost:9000' }],
  ])('refuses one with the cookie and %s, and stores nothing', async (_, headers) => {
    const { request, open, stored } = await startTestApp();
    const session = await open();
    const cookie = { host: 'localhost:8000', cookie: `holdfast=${session.token}` };
    const post = await request('POST', `${session.url}/messages`, {
      headers: { ...cookie, ...headers },
      payload: { message: 'Hi' },
    });
    expectProblem(post, 403, 'CROSS_SITE_REQUEST');
    const remove = await request('DELETE', session.url, { headers: { ...cookie, ...headers } });
    expectProblem(remove, 403, 'CROSS_SITE_REQUEST');
    expect(await stored(session)).toMatchObject({ messageCount: 0 });
    expectProblem(await request('POST', '/api/sessions', { headers }), 403, 'CROSS_SITE_REQUEST');
  });

  it.each([
    [
      'Sec-Fetch-Site: same-origin',
      { 'sec-fetch-site': 'same-origin', origin: 'http://localhost:8000' },
    ],
    ['the own Origin', { origin: 'http://localhost:8000' }],
    ['the own Origin behind TLS', { origin: 'https://localhost:8000' }],
    ['neither, as from curl', {}],
  ])('takes one with the cookie and %s', async (_, headers) => {
    const { request, open } = await startTestApp();
    const { url, token } = await open();
    const response = await request('POST', `${url}/messages`, {
      headers: { host: 'localhost:8000', cookie: `holdfast=${token}`, ...headers },
      payload: { message: 'Hi' },
    });
    expect(response.statusCode).toBe(200);
  });

  it('is not taken in by the login of a proxy, which a browser does add by itself', async () => {
    const { request, open } = await startTestApp();
    const { url, token } = await open();
    const response = await request('POST', `${url}/messages`, {
      headers: {
        authorization: 'Basic eDp5',
        cookie: `holdfast=${token}`,
        origin: 'http://evil.example',
        'sec-fetch-site': 'cross-site',
      },
      payload: { message: 'Hi' },
    });
    expectProblem(response, 403, 'CROSS_SITE_REQUEST');
  });

  it('takes a token in the header from any site: no browser adds it by itself', async () => {
    const { open, say } = await startTestApp();
    expect((await say(await open(), 'Hi', { 'sec-fetch-site': 'cross-site' })).statusCode).toBe(
      200,
    );
  });
});
