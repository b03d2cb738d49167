import { describe, expect, it } from 'vitest';
import { operator, startTestApp } from '../testing/test-app.ts';

const forgedToken = `hf1.${Buffer.from('never-issued').toString('base64url')}.${'A'.repeat(43)}`;
const ids = [
  'never-issued',
  'x'.repeat(255),
  'x'.repeat(300),
  '%00',
  '%2e%2e%2fetc%2fpasswd',
  '__proto__',
  'a%20b',
  forgedToken,
];
const routes = [
  ['GET', ''],
  ['HEAD', ''],
  ['DELETE', ''],
  ['GET', '/messages'],
  ['POST', '/messages'],
  ['GET', '/stream'],
  ['GET', '/others'],
  ['DELETE', '/others'],
  ['POST', '/token'],
  ['PATCH', '/status'],
] as const;

describe('a session that was never issued', () => {
  it.each(ids)('is created by no request about it: %s', async (id) => {
    const { request, sessions } = await startTestApp();
    for (const [method, path] of routes) {
      for (const token of ['', 'wrong', forgedToken, 'x'.repeat(5_000)]) {
        const { statusCode } = await request(method, `/api/sessions/${id}${path}`, {
          ...(token !== '' && { headers: { authorization: `Bearer ${token}` } }),
          ...(path === '/messages' && method === 'POST' && { payload: { message: 'Hello' } }),
          ...(path === '/status' && { payload: { status: 'closed' } }),
        });
        expect(statusCode, `${method} ${path}`).toBeGreaterThanOrEqual(400);
        expect(statusCode, `${method} ${path}`).toBeLessThan(500);
      }
    }
    expect(await sessions.store.countActive()).toBe(0);
  });

  it('is created by no GET or HEAD of any page or route, prefetched or not', async () => {
    const { request, sessions } = await startTestApp();
    const { paths } = (await request('GET', '/docs/json')).json<{ paths: object }>();
    const all = ['/', '/console', '/docs', ...Object.keys(paths)];
    for (const path of all.filter((each) => !each.endsWith('/stream'))) {
      for (const method of ['GET', 'HEAD'] as const) {
        const url = path.replace('{id}', 'never-issued');
        await request(method, url, { headers: { 'sec-purpose': 'prefetch' } });
        await request(method, url, { headers: operator });
      }
    }
    expect(await sessions.store.countActive()).toBe(0);
  });

  it('cannot be told from a wrong token: not by status, answer, or what the store is asked', async () => {
    const { open, request, sessions } = await startTestApp();
    const session = await open();
    const asked: string[] = [];
    const { getWithCredentials } = sessions.store;
    sessions.store.getWithCredentials = (...args) => {
      asked.push('getWithCredentials');
      return getWithCredentials.apply(sessions.store, args);
    };
    const secret = 'A'.repeat(43);
    const tokenOf = (id: string) => `hf1.${Buffer.from(id).toString('base64url')}.${secret}`;
    const answers = [];
    for (const id of [session.id, session.id.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))]) {
      asked.length = 0;
      const { statusCode, body } = await request('GET', `/api/sessions/${id}`, {
        headers: { authorization: `Bearer ${tokenOf(id)}` },
      });
      answers.push({ statusCode, body, asked: [...asked] });
    }
    expect(answers[0]).toMatchObject({ statusCode: 401, asked: ['getWithCredentials'] });
    expect(answers[1]).toEqual(answers[0]);
  });
});
