import { expect, it } from 'vitest';
import { expectProblem, startTestApp } from '../testing/test-app.ts';

const shop = 'https://shop.example';
const preflight = (origin: string) => ({
  origin,
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization,content-type',
});

it('pages of other origins are told nothing, unless they are named', async () => {
  const { request } = await startTestApp();
  const asked = await request('GET', '/health', { headers: { origin: shop } });
  expect(asked.headers['access-control-allow-origin']).toBeUndefined();
});

it('a page that is named may use the API with a token, and no other', async () => {
  const { app, request } = await startTestApp({ env: { CORS_ORIGINS: shop } });
  const ask = (origin: string) =>
    app.inject({ method: 'OPTIONS', url: '/api/sessions', headers: preflight(origin) });
  const allowed = await ask(shop);
  expect(allowed.statusCode).toBe(204);
  expect(allowed.headers).toMatchObject({
    'access-control-allow-origin': shop,
    'access-control-allow-headers': expect.stringContaining('authorization'),
  });
  expect(allowed.headers.vary).toMatch(/Origin/i);
  expect(allowed.headers['access-control-allow-credentials']).toBeUndefined();
  for (const origin of ['https://shop.example.evil.test', 'http://shop.example', 'null']) {
    const refused = await ask(origin);
    expect(refused.headers['access-control-allow-origin']).not.toBe(origin);
  }
  const answer = await request('GET', '/health', { headers: { origin: shop } });
  expect(answer.headers['access-control-allow-origin']).toBe(shop);
});

it('a page that is named opens a session and goes on with its token, but never with a cookie', async () => {
  const { request } = await startTestApp({ env: { CORS_ORIGINS: shop } });
  const from = { origin: shop, 'sec-fetch-site': 'cross-site' };
  const opened = await request('POST', '/api/sessions', { headers: from });
  expect(opened.statusCode).toBe(201);
  expect(opened.headers['access-control-allow-origin']).toBe(shop);
  const { session_id: id, token } = opened.json();
  const search = { headers: from, payload: { query: 'refund' } };
  expect((await request('POST', '/api/search', search)).statusCode).toBe(200);
  const say = (headers: Record<string, string>) =>
    request('POST', `/api/sessions/${id}/messages`, {
      headers: { ...from, ...headers },
      payload: { message: 'Hi' },
    });
  const bearer = { authorization: `Bearer ${token}` };
  expect((await say(bearer)).statusCode).toBe(200);

  const refused = await say({ cookie: `holdfast=${token}` });
  expectProblem(refused, 403, 'CROSS_SITE_REQUEST');
  expect(refused.headers['access-control-allow-origin'], 'the page can read why').toBe(shop);
  const session = await request('GET', `/api/sessions/${id}`, { headers: { ...from, ...bearer } });
  expect(session.json()).toMatchObject({ message_count: 1 });
  const other = await request('POST', '/api/sessions', {
    headers: { ...from, origin: 'https://evil.example' },
  });
  expectProblem(other, 403, 'CROSS_SITE_REQUEST');
});
