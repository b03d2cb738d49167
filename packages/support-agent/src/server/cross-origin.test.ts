import { expect, it } from 'vitest';
import { startTestApp } from '../testing/test-app.ts';

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
